import CommitProtocol
import StreamCore
import StreamEngine
import Synchronization

/// A source of a context that is not Kafka: a name, and how its records are brought when the query runs.
protocol LocalSource: Sendable {
    var name: TopicName { get }

    /// - Throws: `StreamError` where the settings cannot give what the source promises.
    func check(_ settings: SourceSettings) throws

    func makeLog(_ settings: SourceSettings) -> any SourceLog
}

extension LocalSource {
    func check(_ settings: SourceSettings) throws {}
}

/// What sources see of their query.
struct SourceSettings: Sendable {
    var query: QueryName
    var batchInterval: Duration
    /// Where sources keep what a restart needs, one folder each; nil: in memory.
    var stateFolder: String?
    /// The query's progress outlives the process although there is no state folder: it is in Kafka.
    var hasLastingProgress: Bool
    var options: StreamingOptions
    var clock: any EngineClock
    var commits: CommitNotices
    var listeners: StreamingListeners

    var log: any LogHandler { options.log }

    /// The folder of one source.
    func folder(of source: TopicName) -> String? {
        stateFolder.map { "\($0)/sources/\(FileName.of(query.text))/\(FileName.of(source.text))" }
    }
}

/// One source's records by position, and the work that brings them: what makes a `LocalInput` one of files, of a
/// receiver, of a queue. Used by the driver's thread and the source's own.
protocol SourceLog: AnyObject, Sendable {
    /// A piece of the work beside the driver: a look at the folder, a restart of the receiver. It may block. The first
    /// one that succeeds calls `desk.announce()`.
    /// - Returns: when it wants to be called again, if nothing wakes the desk before.
    func turn(_ desk: SourceDesk, _ now: MonotonicTime) -> MonotonicTime

    /// Reading begins or goes on here: by the driver, also again after an attempt was given up.
    func begin(at position: Position)
    /// The split was given back; what is in use elsewhere from now on must be let go in the next turn.
    func giveBack()
    /// The first position and the next to come.
    var bounds: Range<Int64> { get }
    /// Whether a batch gets no more than one read gives, whatever else is there.
    var givesOneByOne: Bool { get }
    /// For the driver's thread.
    func makeReader() -> any SourceReader
    /// Everything before this position is durable and is not asked for again.
    func committed(_ position: Position)
    /// The last call, on the source's thread.
    func close()
}

extension SourceLog {
    var givesOneByOne: Bool { false }
}

/// Reads a log; confined to the driver's thread.
protocol SourceReader: AnyObject {
    /// Appends records from this position on, of topic 0 and partition 0, about `bytesMax` of them.
    func read(from position: Position, into block: RecordBlock, bytesMax: Int) throws -> SourceRead
}

enum SourceRead {
    /// The block's records cover everything up to here; there may be none.
    case upTo(Position)
    /// Nothing now.
    case nothing
    /// Nothing is left before `next`.
    case lost(next: Position)
}

/// Tells sources how far the query has committed.
final class CommitNotices: Sendable {
    private let listeners = Mutex<[TopicName: @Sendable (Position) -> Void]>([:])

    func set(_ name: TopicName, _ listener: (@Sendable (Position) -> Void)?) {
        listeners.withLock { $0[name] = listener }
    }

    func committed(_ ranges: [SplitRange]) {
        for range in ranges { listeners.withLock { $0[range.split.topic] }?(range.to) }
    }
}
