import StreamCore
import StreamEngine

/// Everything that a context was told to compute: nodes with their uses, sources and outputs.
struct StreamGraph: Sendable {
    struct Node: Sendable {
        var useCount = 0
        var parents: [Int] = []
        var isShuffle = false
        /// How often it gives something, where that is not its parents'; 0: as they do.
        var slideMs: Int64 = 0
        /// It keeps state over batches.
        var isStateful = false
        /// Its result is one for each batch, also for an empty one.
        var runsInEmptyBatches = false
        /// Of a source.
        var topics: [TopicName] = []
        /// Of a source that is not Kafka.
        var source: (any LocalSource)?
    }

    var nodes: [Node] = []
    var outputs: [Output] = []
    /// What the program got wrong, told when it starts.
    var problems: [StreamError] = []
    /// Stateful operators so far, by kind.
    private var stateCounts: [String: Int] = [:]
    private var stateNames: Set<String> = []

    /// - Parameter name: nil: kind and number among operators of that kind, so that adding a filter changes none.
    /// - Returns: the node, and the operator's identity over versions of the program.
    mutating func addState(_ node: Node, kind: String, name: String?) -> (node: Int, id: OperatorID) {
        stateCounts[kind, default: 0] += name == nil ? 1 : 0
        let id = name ?? "\(kind)-\(stateCounts[kind] ?? 0)"
        if !stateNames.insert(id).inserted {
            problems.append(
                StreamError(
                    "STATE_NAME", "Two stateful operators have the name '\(id)'.",
                    remedy: "Give each a name of its own: its state is kept under it.", domain: .user))
        }
        var node = node
        node.isStateful = true
        return (addNode(node), OperatorID(id))
    }

    mutating func addNode(_ node: Node) -> Int {
        for parent in node.parents { nodes[parent].useCount += 1 }
        nodes.append(node)
        return nodes.count - 1
    }

    /// How often a node gives something, in milliseconds.
    func slide(of node: Int, batchMs: Int64) -> Int64 {
        if nodes[node].slideMs > 0 { return nodes[node].slideMs }
        return nodes[node].parents.map { slide(of: $0, batchMs: batchMs) }.max() ?? batchMs
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
