import StateStore
import StreamCore
import StreamEngine

/// What the programs of a query need to keep state: the same for all its tasks.
struct StateSetup: Sendable {
    var query: QueryName
    var layout = ShardLayout()
    var clock: any EngineClock
}

/// The state of all operators in one task, as the engine sees it.
final class StateGroup: TaskState {
    private let operators: [OperatorState]
    private let byTopic: [TopicName: OperatorState]
    let changelogs: Set<Split>

    init(_ operators: [OperatorState]) {
        self.operators = operators
        byTopic = Dictionary(operators.map { ($0.topic, $0) }) { first, _ in first }
        changelogs = operators.reduce(into: []) { $0.formUnion($1.followPositions().keys) }
    }

    func recover(to epoch: Epoch?) throws -> [Split: Position] {
        try merged { try $0.recover(to: epoch) }
    }

    func followPositions() throws -> [Split: Position] { merged { $0.followPositions() } }

    private func merged(_ needs: (OperatorState) throws -> [Split: Position]) rethrows -> [Split: Position] {
        try operators.reduce(into: [:]) { $0.merge(try needs($1)) { first, _ in first } }
    }

    /// A block may hold changes of several topics.
    func apply(_ block: RecordBlock) throws {
        for topic in block.topics { try byTopic[topic]?.apply(block) }
    }

    func clear(_ split: Split) throws { try byTopic[split.topic]?.clear(split) }

    func restored(_ ends: [Split: Position], to epoch: Epoch?) throws {
        for state in operators { try state.restored(ends.filter { $0.key.topic == state.topic }, epoch: epoch) }
    }

    func noteStableEnds(_ ends: [Split: Position], from epoch: Epoch) throws {
        for state in operators {
            state.noteStableEnds(ends.filter { $0.key.topic == state.topic }, inFlight: epoch)
        }
    }
}
