import CommitProtocol
import StreamCore

/// What tests have the engine do wrong: it trusts its memory instead of the committed progress.
extension Driver {
    func guess(_ kind: TransactionFailure.Kind) {
        guard let plan = inFlight else { return }
        let breakages = options.breakages
        switch kind {
        case .indefinite where breakages.contains(.indefiniteAsDone): believed = plan.positions
        case .indefinite where breakages.contains(.indefiniteAsFailed): believed = plan.positionsBefore
        case .fenced where breakages.contains(.fencingIgnored): believed = plan.positionsBefore
        default: break
        }
    }

    func guessed(_ positions: [Split: Position]) -> [Split: Position] {
        guard !believed.isEmpty else { return positions }
        defer { believed = [:] }
        return positions.merging(believed.filter { positions[$0.key] != nil }) { _, guess in guess }
    }

    func remembered(_ replay: ProgressRecord?) -> ProgressRecord? {
        options.breakages.contains(.planForgotten) ? nil : replay
    }
}
