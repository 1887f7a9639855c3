import StreamCore
import StreamService
import Synchronization

/// A clock that stands still until it is told to go on.
final class HandClock: EngineClock {
    private let nanoseconds = Atomic<Int64>(1_000_000_000_000)
    private let wall = Atomic<Int64>(1_772_368_245_123)

    var now: MonotonicTime { MonotonicTime(nanoseconds: nanoseconds.load(ordering: .relaxed)) }
    var wallMilliseconds: Int64 { wall.load(ordering: .relaxed) }

    func advance(_ duration: Duration) {
        nanoseconds.add(duration.nanoseconds, ordering: .relaxed)
        wall.add(duration.nanoseconds / 1_000_000, ordering: .relaxed)
    }
}

/// Keeps what it is given, for tests to look at.
final class Collected<Item: Sendable>: Sendable {
    private let items = Mutex<[Item]>([])
    var all: [Item] { items.withLock { $0 } }
    func add(_ item: Item) { items.withLock { $0.append(item) } }
}

struct CollectingLog: LogHandler {
    let lines = Collected<String>()
    func log(_ level: LogLevel, _ message: String, _ fields: [LogField]) {
        lines.add(([level.name, message] + fields.map { "\($0.name)=\($0.value)" }).joined(separator: " "))
    }
}

extension TerminalScreen {
    /// A screen that writes into a list.
    static func collecting(_ written: Collected<String>, isTerminal: Bool, width: Int = 80) -> TerminalScreen {
        TerminalScreen(isTerminal: isTerminal, width: width) { bytes in
            written.add(String(decoding: bytes, as: UTF8.self))
            return true
        }
    }
}

extension ServiceSnapshot {
    /// A query with everything filled in; the counters add up.
    static var sample: ServiceSnapshot {
        var snapshot = ServiceSnapshot(query: QueryName("orders"))
        snapshot.instance = "orders-7f3a-0"
        snapshot.state = .running
        snapshot.epoch = 41
        snapshot.attempt = 2
        snapshot.records.read = 1000
        snapshot.records.emittedFrom = 900
        snapshot.records.filtered = 90
        snapshot.records.late = 1
        snapshot.records.deadLettered = 7
        snapshot.records.skipped = 2
        snapshot.records.output = 950
        snapshot.records.bytesIn = 123_456
        snapshot.records.bytesOut = 98_765
        snapshot.epochs.committed = 3
        snapshot.epochs.dropped = ["fenced": 1, "expired": 2]
        snapshot.splits = [
            SplitStatus(Split("in", 0), position: 500, end: 510), SplitStatus(Split("in", 1), position: 500, end: nil),
        ]
        snapshot.lastPhases = EpochPhases(
            poll: .milliseconds(5), compute: .milliseconds(2), produce: .milliseconds(1), commit: .milliseconds(8))
        for ms in [15, 18, 300] { snapshot.epochDurations.record(.milliseconds(ms)) }
        snapshot.memory = MemoryUse(usedBytes: 1 << 20, budgetBytes: 256 << 20)
        snapshot.restarts = 2
        snapshot.lastError = ErrorNote(code: "FENCED", message: "line one\n\"two\"", atMs: 1_772_368_245_500)
        return snapshot
    }
}
