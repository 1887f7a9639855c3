import CommitProtocol
import StreamCore

/// An input's questions to the cluster, on a helper thread: the driver's never waits. Failed ones are repeated.
final class InputLookups: Sendable {
    private let client: SharedClient
    private let worker: WorkerThread
    private let mailbox: InputMailbox
    private static let within = Duration.seconds(10)

    init(_ client: SharedClient, _ worker: WorkerThread, _ mailbox: InputMailbox) {
        self.client = client
        self.worker = worker
        self.mailbox = mailbox
    }

    func resolve(_ starts: [Split: StartPosition]) {
        var known: [Split: Position] = [:]
        var instants: [Split: Int64] = [:]
        for (split, start) in starts {
            switch start {
            case .earliest: instants[split] = SharedClient.earliest
            case .latest: instants[split] = SharedClient.latest
            case .timestamp(let milliseconds): instants[split] = max(0, milliseconds)
            case .position(let position): known[split] = position
            }
        }
        let given = known
        let asked = instants
        attempt { [client] () throws(KafkaError) in
            let found = try client.offsets(at: asked, within: Self.within)
            return .event(.resolved(given.merging(found) { $1 }))
        }
    }

    func ends(_ splits: Set<Split>) {
        attempt { [client] () throws(KafkaError) in
            .event(.ends(try client.offsets(of: splits, at: SharedClient.latest, within: Self.within)))
        }
    }

    /// Finds out what is there instead of a position that the broker does not have.
    func positionLost(_ split: Split, at position: Position) {
        attempt { [client] () throws(KafkaError) in
            let (low, high) = try client.watermarks(split, within: Self.within)
            if position >= low, position <= high { return .reopen(split, position) }
            // Behind the end: the topic was made anew, so it begins again.
            return .event(.dataLoss(split, at: position, next: low))
        }
    }

    private func attempt(
        after delay: Duration = .milliseconds(500),
        _ body: @escaping @Sendable () throws(KafkaError) -> InputItem
    ) {
        worker.submit { [self] in
            do throws(KafkaError) {
                mailbox.post(try body())
            } catch {
                if error.code == .closed { return }
                mailbox.post(.event(.trouble(error.inputTrouble)))
                worker.submit(after: delay) { [self] in attempt(after: min(delay * 2, .seconds(5)), body) }
            }
        }
    }
}

extension KafkaError {
    /// As an input reports it: nearly everything passes or is put right by a person while the client keeps trying.
    var inputTrouble: StreamError {
        var error = streamError
        let passes =
            isRetriable || code.isPassing || code.needsPerson || code == .maxPollExceeded || recoversByRejoining
        if passes, !isFatal { error.recovery = .retry }
        return error
    }

    private var recoversByRejoining: Bool { [.illegalGeneration, .unknownMember].contains(code) }
}
