import CommitProtocol
import StateStore
import StreamCore
import StreamEngine

/// Puts together the program of one task: the fused passes of its stage, from its sources or shuffles to its endpoints.
@usableFromInline
final class StageBuilder {
    @usableFromInline let level: Int
    let task: Int
    /// Tasks of every stage.
    @usableFromInline let taskCounts: [Int]
    @usableFromInline let scope = RecordScope()
    /// A faulty record's effects must be taken back, because the query goes on.
    @usableFromInline let isUndoable: Bool
    let stateSetup: StateSetup
    private let useCounts: [Int]
    private var shared: [Int: any Endpoint] = [:]
    private var onces: Set<Int> = []
    private(set) var states: [OperatorState] = []
    private var fanOuts: [Int: AnyObject] = [:]
    private(set) var endpoints: [(node: Int, endpoint: any Endpoint)] = []
    private(set) var sources: [SourcePass] = []

    init(
        level: Int, task: Int, taskCounts: [Int], useCounts: [Int], isUndoable: Bool, stateSetup: StateSetup
    ) {
        self.stateSetup = stateSetup
        self.level = level
        self.task = task
        self.taskCounts = taskCounts
        self.useCounts = useCounts
        self.isUndoable = isUndoable
    }

    var lastLevel: Int { taskCounts.count - 1 }

    @usableFromInline
    func isShared(_ node: Int) -> Bool { useCounts.indices.contains(node) && useCounts[node] > 1 }

    func fanOut(of node: Int) -> AnyObject? { fanOuts[node] }
    func setFanOut(_ fanOut: AnyObject, of node: Int) { fanOuts[node] = fanOut }

    /// Records of these topics begin a pass here, in the first stage.
    func addSource(_ topics: Set<TopicName>, _ push: @escaping Push<KafkaRecord>) -> Bool {
        addSource(taking: { topics.contains($0) }, push)
    }

    func addSource(
        taking isTaken: @escaping (TopicName) -> Bool, _ push: @escaping Push<KafkaRecord>
    ) -> Bool {
        guard level == 0 else { return false }
        sources.append(SourcePass(isTaken, push))
        return true
    }

    /// The one endpoint of a node that several streams come from, made when the first of them is attached.
    func shared<Kind: Endpoint>(_ node: Int, make: () throws -> Kind) rethrows -> (endpoint: Kind, isNew: Bool) {
        if let known = shared[node] as? Kind { return (known, false) }
        let made = try make()
        shared[node] = made
        return (made, true)
    }

    /// Does something for a node that several streams come from, the first time that one of them is attached.
    func once(_ node: Int, _ body: () -> Void) {
        if onces.insert(node).inserted { body() }
    }

    // MARK: - State

    /// State of an operator of this stage, for this task.
    func makeState(_ id: OperatorID) -> OperatorState {
        let state = newState(id)
        states.append(state)
        return state
    }

    /// State of an operator that lives in whatever stage its stream comes up in.
    /// - Parameter body: says whether the stream comes up in this stage; where it does not, there is no state.
    func withStateIfLive(_ id: OperatorID, _ body: (OperatorState) -> Bool) -> Bool {
        // A stream may come up in several stages, and no two tasks share a changelog's partition of one topic.
        let state = newState(level == 0 ? id : OperatorID("\(id)-stage\(level)"))
        guard body(state) else { return false }
        states.append(state)
        return true
    }

    private func newState(_ id: OperatorID) -> OperatorState {
        OperatorState(
            query: stateSetup.query, operatorID: id, layout: stateSetup.layout, task: task,
            taskCount: taskCounts[level], local: stateSetup.store, cacheBytes: stateSetup.cacheBytes,
            clock: stateSetup.clock)
    }

    /// The task of a later stage that holds a key's state.
    func taskOfKey<Key: StateCodable>(_ level: Int) -> (Key) -> Int {
        let (layout, count) = (stateSetup.layout, taskCounts[level])
        return { layout.task(ofShard: layout.shard(ofKeyHash: stableHash($0)), taskCount: count) }
    }

    /// Whether this task holds the key's state.
    func holds<Key: StateCodable>(_ key: Key) -> Bool {
        let shard = stateSetup.layout.shard(ofKeyHash: stableHash(key))
        return stateSetup.layout.task(ofShard: shard, taskCount: taskCounts[level]) == task
    }

    func addAny(_ endpoint: any Endpoint, node: Int) { endpoints.append((node, endpoint)) }
    func add(_ endpoint: some Endpoint, node: Int) { endpoints.append((node, endpoint)) }

    // For code that is inlined into a program, which does not know `Endpoint`.
    @usableFromInline
    func addWriter<Key, Value, Combiner>(_ writer: CombineWriter<Key, Value, Combiner>, node: Int) {
        add(writer, node: node)
    }

    @usableFromInline
    func addReader<Key: Hashable & Sendable, Value: Sendable>(
        node: Int, combine: @escaping (Value, Value) throws -> Value, push: @escaping Push<(Key, Value)>
    ) {
        add(ShuffleReader(combine: combine, push: push), node: node)
    }
}

/// The beginning of a fused pass. A class of its own, because a closure in a collection is called through a conversion.
final class SourcePass {
    let push: (KafkaRecord) throws -> Void
    private let isTaken: (TopicName) -> Bool
    /// An expression is not looked at again for each block.
    private var known: [TopicName: Bool] = [:]

    init(_ isTaken: @escaping (TopicName) -> Bool, _ push: @escaping (KafkaRecord) throws -> Void) {
        self.isTaken = isTaken
        self.push = push
    }

    func takes(_ topic: TopicName) -> Bool {
        if let known = known[topic] { return known }
        let answer = isTaken(topic)
        known[topic] = answer
        return answer
    }
}
