import StreamCore
import StreamEngine

/// Everything that a context was told to compute: nodes with their uses, sources and outputs.
struct StreamGraph: Sendable {
    struct Node: Sendable {
        var useCount = 0
        var parents: [Int] = []
        var isShuffle = false
        /// Its result is one for each batch, also for an empty one.
        var runsInEmptyBatches = false
        /// Of a source.
        var topics: [TopicName] = []
        /// Of a source that is not Kafka.
        var source: (any LocalSource)?
    }

    var nodes: [Node] = []
    var outputs: [Output] = []

    mutating func addNode(_ node: Node) -> Int {
        for parent in node.parents { nodes[parent].useCount += 1 }
        nodes.append(node)
        return nodes.count - 1
    }

    /// What some output needs; the rest is never computed.
    var neededNodes: Set<Int> {
        var found: Set<Int> = []
        var open = outputs.map(\.node)
        while let node = open.popLast() {
            if found.insert(node).inserted { open += nodes[node].parents }
        }
        return found
    }
}

/// An output operation: what it puts into each stage's program.
struct Output: Sendable {
    var node: Int
    /// The last stage in which elements reach it.
    var level: Int
    /// Where it writes to, for Kafka.
    var topic: TopicName?
    var isUserCode: Bool
    /// Where it writes to, for files: a name for a batch at time 0.
    var folder: String?
    var attach: @Sendable (StageBuilder) -> Void

    init(
        node: Int, level: Int, topic: TopicName?, isUserCode: Bool, attach: @escaping @Sendable (StageBuilder) -> Void
    ) {
        self.node = node
        self.level = level
        self.topic = topic
        self.isUserCode = isUserCode
        self.attach = attach
    }
}
