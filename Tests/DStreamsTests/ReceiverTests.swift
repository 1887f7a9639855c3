import CommitProtocol
import StreamCore
import StreamEngine
import Synchronization
import Testing

@testable import DStreams

/// A receiver that stores what a test tells it to, in the test's thread.
final class ScriptedReceiver: Receiver {
    private struct State {
        var stores: [ReceiverStore] = []
        var failures: Int
        var stops = 0
    }

    struct Refused: Error {}

    private let state: Mutex<State>
    init(failures: Int = 0) { state = Mutex(State(failures: failures)) }

    func onStart(_ store: ReceiverStore) throws {
        try state.withLock { state in
            state.failures -= 1
            if state.failures >= 0 { throw Refused() }
            state.stores.append(store)
        }
    }

    func onStop() { state.withLock { $0.stops += 1 } }

    var store: ReceiverStore? { state.withLock { $0.stores.last } }
    var starts: Int { state.withLock { $0.stores.count } }
    var stops: Int { state.withLock { $0.stops } }

    func send(_ texts: String...) throws { try store?.store(texts.map { Record(value: $0) }) }
}

@Suite struct ReceiverTests {
    private let folder = TempFolder()
    private let kafka = ScriptedKafka()
    private let seen = Seen<[String]>()

    /// Runs a query on what the earlier one left in Kafka.
    private func start(_ receiver: ScriptedReceiver, _ adjust: (inout StreamingOptions) -> Void = { _ in }) throws
        -> TestRun
    {
        let run = TestRun(kafka: kafka) {
            $0.stateFolder = folder.path
            adjust(&$0)
        }
        run.context.receiverStream(receiver).map { $0.text }.foreachBatch { [seen] batch, _ in
            if !batch.isEmpty { seen.append(batch) }
        }
        try run.start()
        run.settle()
        return run
    }

    @Test func whatIsStoredIsABatch() throws {
        let receiver = ScriptedReceiver()
        let run = try start(receiver)
        try receiver.send("a", "b")
        run.settle()
        run.settle()
        try receiver.store?.store("c")
        for _ in 0..<3 { run.settle() }
        #expect(seen.all == [["a", "b"], ["c"]])
        #expect(run.failure == nil)
        run.stop()
        #expect(receiver.stops == 1)
        #expect(throws: StreamError("RECEIVER_STOPPED", "")) { try receiver.send("late") }
    }

    /// What happens to a receiver, in order.
    private final class Diary: StreamingListener {
        let lines = Seen<String>()
        func onBatchCompleted(_ progress: EpochProgress) { lines.append("batch of \(progress.counts.read)") }
        func onReceiverStarted(_ name: String) { lines.append("\(name) started") }
        func onReceiverError(_ name: String, _ message: String) { lines.append("\(name) error: \(message)") }
        func onReceiverStopped(_ name: String) { lines.append("\(name) stopped") }
    }

    @Test func listenersHearOfReceivers() throws {
        let (receiver, diary) = (ScriptedReceiver(), Diary())
        let run = TestRun(kafka: kafka) { $0.stateFolder = folder.path }
        run.context.addListener(diary)
        run.context.receiverStream(receiver, name: "news").map { $0.text }.saveToKafka("out") { Record(value: $0) }
        try run.start()
        run.settle()
        try receiver.send("a", "b")
        for _ in 0..<2 { run.settle() }
        receiver.store?.reportError("a hiccup")
        receiver.store?.restart("the line was cut")
        for _ in 0..<2 { run.settle() }
        run.stop()
        #expect(
            diary.lines.all == [
                "receiver:news started", "batch of 2", "receiver:news error: a hiccup", "receiver:news stopped",
                "receiver:news error: the line was cut", "receiver:news started", "receiver:news stopped",
            ])
    }

    @Test func theProcessDiesBetweenStoreAndCommit() throws {
        var receiver = ScriptedReceiver()
        let run = try start(receiver)
        try receiver.send("a")
        for _ in 0..<2 { run.settle() }
        try receiver.send("b", "c")
        let left = folder.copy()
        receiver = ScriptedReceiver()
        let again = try start(receiver) { $0.stateFolder = left.path }
        try receiver.send("d")
        for _ in 0..<3 { again.settle() }
        #expect(seen.all == [["a"], ["b", "c"], ["d"]])
        #expect(again.failure == nil)
    }

    @Test func aBatchThatIsRepeatedHasTheSameRecords() throws {
        struct Refused: Error {}
        var receiver = ScriptedReceiver()
        let attempts = Seen<([String], Epoch)>()
        for number in 0..<2 {
            receiver = ScriptedReceiver()
            let run = TestRun(kafka: kafka) { $0.stateFolder = folder.path }
            run.context.receiverStream(receiver).map { $0.text }.foreachBatch { batch, info in
                guard !batch.isEmpty else { return }
                attempts.append((batch, info.epoch))
                if number == 0 { throw Refused() }
            }
            try run.start()
            if number == 0 {
                run.settle()
                try receiver.send("a", "b")
            }
            for _ in 0..<3 { run.settle() }
            // The second one repeats the plan before anything new.
            if number == 1 { try receiver.send("c") }
            for _ in 0..<3 { run.settle() }
        }
        #expect(attempts.all.map(\.0) == [["a", "b"], ["a", "b"], ["c"]])
        #expect(attempts.all.map(\.1.number)[0] == attempts.all.map(\.1.number)[1])
    }

    @Test func aReceiverThatThrowsIsStartedAgainWithLongerPauses() throws {
        let receiver = ScriptedReceiver(failures: 2)
        let run = try start(receiver)
        // 0.2 s, then 0.4 s.
        run.settle()
        #expect(receiver.starts == 1)
        try receiver.send("a")
        receiver.store?.restart("it asked for it")
        let old = receiver.store
        for _ in 0..<2 { run.settle() }
        #expect(receiver.starts == 2)
        #expect(old?.isStopped == true)
        #expect(throws: StreamError("RECEIVER_STOPPED", "")) { try old?.store([Record(value: "old")]) }
        try receiver.send("b")
        for _ in 0..<2 { run.settle() }
        #expect(seen.all == [["a"], ["b"]])
    }

    @Test func withoutAStateFolderOnlyWhereLossIsPutUpWith() throws {
        let refused = TestRun(kafka: kafka)
        refused.context.receiverStream(ScriptedReceiver()).map { $0.text }.print()
        #expect(throws: StreamError("STATE_FOLDER_NEEDED", "")) { try refused.start() }

        for text in ["a", "b"] {
            let receiver = ScriptedReceiver()
            let run = try start(receiver) {
                $0.stateFolder = nil
                $0.keepsSourcesInMemory = true
            }
            try receiver.send(text)
            for _ in 0..<2 { run.settle() }
            try receiver.send("lost")
        }
        #expect(seen.all == [["a"], ["b"]])
    }

    @Test func aFullLogMakesTheReceiverWait() throws {
        let receiver = ScriptedReceiver()
        let run = try start(receiver) { $0.receiverLogBytesMax = 1 << 20 }
        try receiver.send(String(repeating: "x", count: 1 << 20))
        let stored = Seen<Bool>()
        startThread(name: "blocked") {
            do {
                try receiver.send("next")
                stored.append(true)
            } catch {
                stored.append(false)
            }
        }
        // What waits goes on only with the commit.
        #expect(stored.all.isEmpty)
        run.settle()
        #expect(waitUntil { stored.all == [true] })
        for _ in 0..<2 { run.settle() }
        #expect(seen.all.map { $0.map(\.count) } == [[1 << 20], [4]])
    }

    @Test func aStandbyTakesTheLogOver() throws {
        let split = Split("receiver", 0)
        func input(_ receiver: ScriptedReceiver) throws -> any InputPort {
            let run = TestRun(kafka: kafka) { $0.stateFolder = folder.path }
            run.context.receiverStream(receiver).map { $0.text }.print()
            let input = try #require(run.context.makePlan().needs.inputs.first).open()
            input.start()
            return input
        }
        let (first, second) = (ScriptedReceiver(), ScriptedReceiver())
        let owner = try input(first)
        guard case .assigned([split]) = owner.poll(bytesMax: 0) else {
            Issue.record("the split is not announced")
            return
        }
        owner.open([split: 0])
        _ = owner.poll(bytesMax: 0)
        try first.send("a", "b")
        // The log is locked: the other one waits, and receives nothing.
        let standby = try input(second)
        #expect(standby.poll(bytesMax: 100) == nil)
        owner.release([split])
        _ = owner.poll(bytesMax: 0)
        #expect(first.stops == 1)
        let next = try input(second)
        guard case .assigned([split]) = next.poll(bytesMax: 0) else {
            Issue.record("the split is not announced")
            return
        }
        next.open([split: 1])
        guard case .records(let block) = next.poll(bytesMax: 1 << 20) else {
            Issue.record("nothing is read")
            return
        }
        #expect(block.slots.map(\.offset) == [1])
        #expect(second.starts == 1)
        for port in [owner, standby, next] { port.close(within: .seconds(1)) }
        #expect(second.stops == 1)
    }

    @Test func aRateSpacesRecordsOut() {
        var rate = RateLimit(perSecond: 100)
        let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
        // A tenth of a second's worth may come at once; from then on ten milliseconds each.
        #expect(rate.reserve(10, start) == start)
        #expect(rate.reserve(50, start) == start)
        #expect(rate.reserve(1, start) == start + .milliseconds(500))
        #expect(rate.reserve(1, start + .seconds(60)) == start + .seconds(60))
    }

    @Test func aStopEndsTheWaiting() throws {
        let receiver = ScriptedReceiver()
        let run = try start(receiver) { $0.receiverLogBytesMax = 1 << 20 }
        try receiver.send(String(repeating: "x", count: 1 << 20))
        let stored = Seen<StreamError.Code>()
        startThread(name: "blocked") {
            do { try receiver.send("next") } catch { stored.append((error as? StreamError)?.code ?? "OTHER") }
        }
        run.query?.control.stopNow()
        run.settle()
        #expect(waitUntil { !stored.all.isEmpty })
    }
}

/// Waits for a condition, at most ten seconds.
func waitUntil(_ condition: () -> Bool) -> Bool {
    let clock = SystemClock()
    let signal = Signal()
    let deadline = clock.now + .seconds(10)
    while !condition() {
        if clock.now > deadline { return false }
        signal.wait(until: clock.now + .milliseconds(2))
    }
    return true
}
