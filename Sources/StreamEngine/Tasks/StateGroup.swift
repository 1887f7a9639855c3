package import StateStore
package import StreamCore

/// The state of all operators in one task, as the engine sees it.
package final class StateGroup: TaskState {
    private let operators: [OperatorState]
    private let byTopic: [TopicName: OperatorState]
    package let changelogs: Set<Split>

    package init(_ operators: [OperatorState]) {
        self.operators = operators
        byTopic = Dictionary(operators.map { ($0.topic, $0) }) { first, _ in first }
        changelogs = operators.reduce(into: []) { $0.formUnion($1.followPositions().keys) }
    }

    package func dropSealed() throws { for state in operators { try state.dropSealed() } }

    package func recover(to epoch: Epoch?) throws -> [Split: Position] {
        try merged { try $0.recover(to: epoch) }
    }

    /// What a former owner has left undecided is undone: the changelog tells what became of it.
    package func followPositions() throws -> [Split: Position] { try recover(to: nil) }

    private func merged(_ needs: (OperatorState) throws -> [Split: Position]) rethrows -> [Split: Position] {
        try operators.reduce(into: [:]) { $0.merge(try needs($1)) { first, _ in first } }
    }

    /// A block may hold changes of several topics.
    package func apply(_ block: RecordBlock) throws {
        for topic in block.topics { try byTopic[topic]?.apply(block) }
    }

    package func clear(_ split: Split) throws { try byTopic[split.topic]?.clear(split) }

    package func restored(_ ends: [Split: Position], to epoch: Epoch?) throws {
        for state in operators { try state.restored(ends.filter { $0.key.topic == state.topic }, epoch: epoch) }
    }

    package func noteStableEnds(_ ends: [Split: Position], from epoch: Epoch) throws {
        for state in operators {
            state.noteStableEnds(ends.filter { $0.key.topic == state.topic }, inFlight: epoch)
        }
    }
}
