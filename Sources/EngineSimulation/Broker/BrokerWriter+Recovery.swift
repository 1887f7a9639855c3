import CommitProtocol
import KafkaWire
import StreamCore

/// Reading the committed progress, as `KafkaClient` does it.
extension BrokerWriter {
    func recover(_ splits: Set<Split>) {
        guard let progress else { return readPositions(splits) }
        endPredecessor(progress) { [unowned self] in readPositions(splits) }
    }

    /// Aborts what the query's last writer has left open, where that was another instance. Only as long as the group
    /// says that the query is ours, and where it fails, the time-out ends it all the same.
    private func endPredecessor(_ progress: ProgressLookup, then next: @escaping () -> Void) {
        progress.find(upTo: .stableEnd, within: options.callTimeout) { [unowned self] result in
            guard case .success(let record?) = result, let writer = record.writer, writer != options.identity,
                let identity = member.identity
            else { return next() }
            // The control split's position never changes: this asks the broker whether our generation holds.
            let question = Request.commit(options.extraPositions, as: identity)
            connection.call(question, within: options.callTimeout) { [unowned self] result in
                guard case .success = result else { return next() }
                connection.call(.initialize(writer), within: options.callTimeout) { _ in next() }
            }
        }
    }

    private func readPositions(_ splits: Set<Split>) {
        let request = Request.committed(splits.union(options.extraPositions.keys), of: member.subscription.groupID)
        connection.call(request, within: options.callTimeout) { [unowned self] result in
            switch result {
            case .success(.offsetFetch(let answer)): readProgress(answer.positions.filter { splits.contains($0.key) })
            case .success: fail(.silence, at: .recover)
            case .failure(let failure): fail(failure, at: .recover)
            }
        }
    }

    private func readProgress(_ positions: [Split: Position]) {
        guard let progress else { return answer(.recovered(RecoveredProgress(positions: positions))) }
        progress.find(upTo: .end, within: options.callTimeout * 2) { [unowned self] result in
            switch result {
            case .success(let record): answer(.recovered(RecoveredProgress(positions: positions, progress: record)))
            case .failure(let failure): fail(failure, at: .recover)
            }
        }
    }
}
