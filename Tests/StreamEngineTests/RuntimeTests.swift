import CommitProtocol
import StreamCore
import Synchronization
import Testing

@testable import StreamEngine

@Suite struct ChannelTests {
    @Test func keepsTheOrderAndWakesItsReceiver() {
        let receiver = Signal()
        let channel = Channel<Int>(capacity: 2, receiver: receiver)
        channel.send(1)
        channel.send(2)
        #expect(receiver.consume() && channel.takeFirst() == 1)
        channel.send(3)
        #expect(channel.takeAll() == [2, 3] && channel.takeFirst() == nil)
    }

    @Test func wakesASenderOnlyWhenItWaitsAndThereIsRoom() {
        let sender = Signal()
        let channel = Channel<Int>(capacity: 2, receiver: Signal())
        channel.addSender(sender)
        channel.send(1)
        #expect(!channel.isFull)
        _ = channel.takeAll()
        #expect(!sender.isUp, "nobody waited")
        for number in 0..<3 { channel.send(number) }
        #expect(channel.isFull)
        _ = channel.takeFirst()
        #expect(!sender.isUp, "still full")
        _ = channel.takeFirst()
        #expect(sender.consume())
    }
}

@Suite struct MemoryBudgetTests {
    @Test func wakesItsWaiterWhenItFallsBelowTheLimit() {
        let waiter = Signal()
        let budget = MemoryBudget(limit: 100, waiter: waiter)
        budget.take(90)
        #expect(budget.available == 10 && !budget.isFull)
        budget.give(40)
        #expect(!waiter.isUp, "it was not full")
        budget.take(70)
        #expect(budget.isFull && budget.available == 0)
        budget.give(20)
        #expect(!waiter.isUp && budget.isFull)
        budget.give(1)
        #expect(waiter.isUp && budget.used == 99)
    }
}

@Suite struct SignalTests {
    @Test func aWaitEndsAtItsDeadline() {
        let clock = SystemClock()
        let end = clock.now + .milliseconds(20)
        Signal().wait(until: end)
        #expect(clock.now >= end)
        Signal().wait(until: .zero)
        Signal().wait(until: MonotonicTime(nanoseconds: -5))
    }

    /// Each turn needs the other thread's signal: one lost wake-up would take the whole deadline.
    @Test func twoThreadsLoseNoWakeUp() {
        final class Table: Sendable {
            let turn = Atomic<Int>(0)
            let signals = [Signal(), Signal()]
        }
        let table = Table()
        let turns = 20_000
        let clock = SystemClock()
        let deadline = clock.now + .seconds(60)
        @Sendable func play(_ player: Int) {
            while clock.now < deadline {
                let turn = table.turn.load(ordering: .acquiring)
                if turn >= turns { return }
                if turn % 2 == player {
                    table.turn.add(1, ordering: .releasing)
                    table.signals[1 - player].raise()
                } else {
                    table.signals[player].wait(until: deadline)
                }
            }
        }
        let other = Signal()
        startThread(name: "player") {
            play(1)
            other.raise()
        }
        play(0)
        table.signals[1].raise()
        other.wait(until: deadline)
        #expect(table.turn.load(ordering: .acquiring) == turns && clock.now < deadline)
    }
}

@Suite struct ErrorPolicyTests {
    private func faulty() -> RecordBlock {
        let block = RecordBlock(topics: ["orders"])
        let headers = RecordHeaders.encode([RecordHeader("own", [7])], into: block.arena)
        block.slots = [
            RecordSlot(value: block.arena.append("good"), offset: 40, partition: 3),
            RecordSlot(
                key: block.arena.append("k"), value: block.arena.append("bad"), headers: headers, offset: 41,
                timestamp: 1234, partition: 3),
        ]
        return block
    }
    private let faults = [
        RowFault(row: 1, code: "BAD_JSON", message: "it ends too early"),
        RowFault(row: 1, code: "SECOND", message: "another"),
    ]

    private func handle(_ policy: ErrorPolicy) -> TaskOutput {
        var output = TaskOutput()
        FaultHandler(policy: policy, query: QueryName("q")).handle(
            faults, in: faulty(), EpochContext(epoch: 9, batchTimeMs: 0), into: &output)
        return output
    }

    @Test func aDeadLetterHoldsTheOriginalAndWhereItCameFrom() throws {
        let output = handle(.deadLetter("dlq"))
        let letters = try #require(output.blocks.first)
        #expect(output.counts.deadLettered == 1 && letters.count == 1 && letters.topics == ["dlq"])
        #expect(letters.key(0) == Array("k".utf8) && letters.value(0) == Array("bad".utf8))
        #expect(letters.slots[0].timestamp == 1234)
        let headers = letters.headers(0).map { "\($0.name)=\(String(decoding: $0.value ?? [], as: UTF8.self))" }
        #expect(
            headers == [
                "own=\u{7}", "millrace.error.code=BAD_JSON", "millrace.error.message=it ends too early",
                "millrace.source.topic=orders", "millrace.source.partition=3", "millrace.source.offset=41",
                "millrace.query=q", "millrace.epoch=9",
            ])
    }

    @Test func failingNamesTheRecord() {
        let output = handle(.fail)
        #expect(output.failure?.code == "BAD_JSON")
        #expect(output.failure?.place == StreamError.Place(split: Split("orders", 3), offset: 41))
    }

    @Test func skippingCountsEachRecordOnce() {
        let output = handle(.skip)
        #expect(output.counts.skipped == 1 && output.blocks.isEmpty && output.failure == nil)
    }
}

@Suite struct ThreadedUserOutputTests {
    private let plan = EpochPlan(
        kind: .data, epoch: 7, attempt: Attempt(1), ranges: [], positions: [:], batchTimeMs: 0, isReplay: false)

    /// Runs the outputs and waits for the one result.
    private func result(_ outputs: [UserOutput], concurrency: Int) throws -> UserOutputResult {
        let port = ThreadedUserOutput(concurrency: concurrency)
        defer { port.close() }
        let ready = Signal()
        port.onReady = { ready.raise() }
        port.submit(plan, outputs)
        ready.wait(until: SystemClock().now + .seconds(20))
        let result = try #require(port.poll())
        #expect(port.poll() == nil)
        return result
    }

    @Test func oneAfterTheOtherKeepsTheOrder() throws {
        let order = Mutex<[Int]>([])
        let outputs = (0..<20).map { number in UserOutput { _ in order.withLock { $0.append(number) } } }
        guard case .delivered(7, _) = try result(outputs, concurrency: 1) else {
            Issue.record("not delivered")
            return
        }
        #expect(order.withLock { $0 } == Array(0..<20))
    }

    /// Each waits for all others, so they end only if they run at once.
    @Test func severalRunAtOnce() throws {
        let arrived = Atomic(0)
        let end = SystemClock().now + .seconds(20)
        let outputs = (0..<3).map { _ in
            UserOutput { _ in
                arrived.add(1, ordering: .sequentiallyConsistent)
                while arrived.load(ordering: .sequentiallyConsistent) < 3, SystemClock().now < end {
                    Signal().wait(until: SystemClock().now + .milliseconds(1))
                }
            }
        }
        guard case .delivered(7, _) = try result(outputs, concurrency: 3) else {
            Issue.record("not delivered")
            return
        }
        #expect(SystemClock().now < end)
    }

    /// The result comes after everything that began has ended, and names the first failure in order.
    @Test(arguments: [1, 4]) func aFailureEndsTheEpoch(concurrency: Int) throws {
        let begun = Mutex<Set<Int>>([])
        let outputs = (0..<50).map { number in
            UserOutput { _ in
                begun.withLock { _ = $0.insert(number) }
                if number >= 1 { throw StreamError(StreamError.Code("N\(number)"), "") }
            }
        }
        guard case .failed(7, _, let error) = try result(outputs, concurrency: concurrency) else {
            Issue.record("not failed")
            return
        }
        let first = begun.withLock { $0.subtracting([0]).min() }
        #expect(first == 1 && error.code == "N1")
        #expect(begun.withLock { $0.count } <= 1 + concurrency)
    }
}
