import CommitProtocol
import StreamCore
import Synchronization

/// What comes to a changelog's driver from its helper thread.
enum ChangelogItem: Sendable {
    case stableEnds([Split: Position])
    /// Of no reading.
    case trouble(StreamError)
    /// Of one reading, and meaningless for a later one.
    case reading(ReadingID, ReadingNews)
}

enum ReadingNews: Sendable {
    /// The answer to `begin`.
    case began([Split: SplitBounds])
    /// The answer to `examine`.
    case examined([Split: SplitBounds])
    case trouble(StreamError)
    /// Time to see whether the reading comes forward.
    case tick
}

/// Counts the readings of a port, so that what comes late from an earlier one is known.
struct ReadingID: Hashable, Sendable {
    private var number: UInt64 = 0
    var next: ReadingID { ReadingID(number: number &+ 1) }

    init() {}
    private init(number: UInt64) { self.number = number }
}

/// A changelog port's questions to the cluster, on its helper thread. Failed ones are repeated, unless only a person
/// can help.
final class ChangelogLookups: Sendable {
    private let settings: KafkaSettings
    private let groupID: String
    private let log: any LogHandler
    private let client: SharedClient
    private let worker: WorkerThread
    private let mailbox: Mailbox<ChangelogItem>
    private let state = Mutex(State())

    private struct State {
        var reading = ReadingID()
        /// Asked for and not being answered yet.
        var stable: Set<Split> = []
    }

    private static let within = Duration.seconds(10)
    private static let backOffMax = Duration.seconds(10)
    /// Brokers do not learn of a new topic all at once.
    private static let missingMax = Duration.seconds(5)

    /// - Parameter client: a read_committed consumer's.
    init(
        _ settings: KafkaSettings, groupID: String, client: SharedClient, _ worker: WorkerThread,
        _ mailbox: Mailbox<ChangelogItem>, log: any LogHandler
    ) {
        self.settings = settings
        self.groupID = groupID
        self.client = client
        self.worker = worker
        self.mailbox = mailbox
        self.log = log
    }

    /// From now on only what belongs to this reading is asked.
    func turn(to reading: ReadingID) { state.withLock { $0.reading = reading } }

    /// Looks up the bounds of the splits, with which the reading begins.
    func begin(_ splits: Set<Split>, for reading: ReadingID) {
        look(at: splits, for: reading) { .began($0) }
    }

    /// Looks up the bounds of splits that are being read.
    func examine(_ splits: Set<Split>, for reading: ReadingID) {
        look(at: splits, for: reading) { .examined($0) }
    }

    /// Tells the driver once, later.
    func tick(after delay: Duration, for reading: ReadingID) {
        worker.submit(after: delay) { [self] in
            if isCurrent(reading) { mailbox.post(.reading(reading, .tick)) }
        }
    }

    /// Looks up last stable offsets. Questions that wait are answered together.
    func stableEnds(_ splits: Set<Split>) {
        let isFirst = state.withLock { state in
            defer { state.stable.formUnion(splits) }
            return state.stable.isEmpty
        }
        if isFirst { worker.submit { [self] in answerStableEnds() } }
    }

    // MARK: - On the helper thread

    private func isCurrent(_ reading: ReadingID) -> Bool { state.withLock { $0.reading == reading } }

    private func look(
        at splits: Set<Split>, for reading: ReadingID, _ news: @escaping @Sendable ([Split: SplitBounds]) -> ReadingNews
    ) {
        let deadline = SystemClock().now + Self.missingMax
        attempt { [self] () throws(KafkaError) in
            if isCurrent(reading) { mailbox.post(.reading(reading, news(try bounds(of: splits)))) }
        } onError: { [self] error in
            guard isCurrent(reading) else { return false }
            let trouble = error.changelogTrouble(mayAppear: SystemClock().now < deadline)
            mailbox.post(.reading(reading, .trouble(trouble)))
            return trouble.recovery == .retry
        }
    }

    /// The bounds that a read_uncommitted look shows, by a client that lives as long as the look.
    private func bounds(of splits: Set<Split>) throws(KafkaError) -> [Split: SplitBounds] {
        let looker = try Consumer(settings, ConsumerOptions(groupID: groupID, readsCommitted: false), log: log)
        defer { looker.close(within: .seconds(5)) }
        try checkTopics(splits, looker.client)
        let lows = try looker.client.offsets(of: splits, at: SharedClient.earliest, within: Self.within)
        let highs = try looker.client.offsets(of: splits, at: SharedClient.latest, within: Self.within)
        var bounds: [Split: SplitBounds] = [:]
        for split in splits {
            guard let low = lows[split], let high = highs[split] else {
                throw KafkaError(.timedOut, "Could not look up the ends of \(split).")
            }
            bounds[split] = SplitBounds(low: low, high: high)
        }
        return bounds
    }

    private func checkTopics(_ splits: Set<Split>, _ client: SharedClient) throws(KafkaError) {
        for topic in try client.metadata(Set(splits.map(\.topic)).sorted(), within: Self.within) {
            if let error = topic.error {
                throw KafkaError(error.raw, "Could not restore state from topic '\(topic.name)'")
            }
            let behind = splits.filter { $0.topic == topic.name && $0.partition.number >= topic.partitionCount }
            if let split = behind.min() {
                throw KafkaError(
                    .unknownPartition,
                    "Could not restore state from topic '\(topic.name)': it has \(topic.partitionCount) partitions, "
                        + "and partition \(split.partition) is wanted.")
            }
        }
    }

    private func answerStableEnds() {
        let deadline = SystemClock().now + Self.missingMax
        let asked = state.withLock { state in
            defer { state.stable = [] }
            return state.stable
        }
        attempt { [self] () throws(KafkaError) in
            mailbox.post(.stableEnds(try client.offsets(of: asked, at: SharedClient.latest, within: Self.within)))
        } onError: { [self] error in
            let trouble = error.changelogTrouble(mayAppear: SystemClock().now < deadline)
            mailbox.post(.trouble(trouble))
            return trouble.recovery == .retry
        }
    }

    /// Runs `body`, and again with growing pauses for as long as `onError` wants it.
    private func attempt(
        after delay: Duration = .zero, backOff: Duration = .milliseconds(250),
        _ body: @escaping @Sendable () throws(KafkaError) -> Void,
        onError: @escaping @Sendable (KafkaError) -> Bool
    ) {
        worker.submit(after: delay) { [self] in
            do throws(KafkaError) {
                try body()
            } catch {
                guard error.code != .closed, onError(error) else { return }
                attempt(after: backOff, backOff: min(backOff * 2, Self.backOffMax), body, onError: onError)
            }
        }
    }
}

extension KafkaError {
    /// As a changelog port reports it.
    /// - Parameter mayAppear: a topic that is missing may have been created just now.
    func changelogTrouble(mayAppear: Bool) -> StreamError {
        var error = streamError
        let passes = isRetriable || code.isPassing
        error.recovery = isFatal || !passes || (code.needsPerson && !(mayAppear && isMissingTopic)) ? .stop : .retry
        if isMissingSplit {
            error.remedy = "It holds the query's state: restore the topic, or reset the query to begin without state."
        }
        return error
    }

    var isMissingSplit: Bool { isMissingTopic || code == .unknownPartition }
    private var isMissingTopic: Bool { [.unknownTopic, .unknownTopicLocally].contains(code) }
}
