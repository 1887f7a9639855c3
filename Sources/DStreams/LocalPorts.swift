import CommitProtocol
import StreamCore
import StreamEngine

/// The ports of a query without Kafka: its progress is in a file of the state folder, or in memory alone.
package enum LocalPorts {
    /// - Throws: `STATE_FOLDER`, `QUERY_RUNS`.
    package static func open(_ needs: QueryNeeds, folder: String?) throws -> QueryPorts {
        let writer = try LocalProgress(query: needs.query, folder: folder)
        let lock = try folder.map { folder in
            guard let lock = try FileLock("\(folder)/progress/\(needs.query).lock") else {
                throw StreamError(
                    "QUERY_RUNS", "'\(needs.query)' is run by another process with the state folder '\(folder)'.",
                    remedy: "Stop that one, or give this one another name or folder.", domain: .user)
            }
            return lock
        }
        let input = OwnedInput(membership: nil, sources: needs.inputs.map { $0.open() })
        // Two processes would run the same batches as long as they both had the progress.
        return QueryPorts(input: input, writer: writer) { withExtendedLifetime(lock) {} }
    }
}

/// Keeps the positions of a query's own sources away from the consumer group: brokers refuse offsets of topics that
/// they do not know. The progress record has them.
final class GroupSplitsOnly: TransactionPort {
    private let writer: any TransactionPort
    private let others: Set<TopicName>

    init(_ writer: any TransactionPort, without others: Set<TopicName>) {
        self.writer = writer
        self.others = others
    }

    var onReady: (@Sendable () -> Void)? {
        get { writer.onReady }
        set { writer.onReady = newValue }
    }

    var gate: CommitGate { writer.gate }

    func submit(_ command: TransactionCommand) {
        switch command {
        case .recover(let splits): writer.submit(.recover(splits.filter { !others.contains($0.topic) }))
        case .commit(var commit):
            commit.positions = commit.positions.filter { !others.contains($0.key.topic) }
            writer.submit(.commit(commit))
        case .initialize, .begin, .produce: writer.submit(command)
        }
    }

    func poll() -> TransactionEvent? { writer.poll() }
    func close(within: Duration) { writer.close(within: within) }
}
