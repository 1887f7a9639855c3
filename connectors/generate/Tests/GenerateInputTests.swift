import CommitProtocol
import ConnectorKit
import StreamCore
import Synchronization
import Testing

@testable import GenerateConnector

final class ManualClock: EngineClock {
    private let time = Mutex(MonotonicTime(nanoseconds: 1_000))
    var now: MonotonicTime { time.withLock { $0 } }
    var wallMilliseconds: Int64 { 0 }
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// What an input gave, by split.
struct Harvest {
    var records: [Split: [Record]] = [:]
    var finished: [Split: Position] = [:]
    var reachedEnds: [Split: Position] = [:]
    var blocks: [RecordBlock] = []

    struct Record: Hashable {
        var key: [UInt8]?
        var value: [UInt8]?
        var offset: Int64
        var timestamp: Int64
    }

    /// Polls until there is nothing now.
    mutating func take(from input: any InputPort, bytesMax: Int = 1 << 20) {
        while let event = input.poll(bytesMax: bytesMax) {
            switch event {
            case .records(let block):
                blocks.append(block)
                for index in 0..<block.count {
                    let slot = block.slots[index]
                    records[block.split(index), default: []].append(
                        Record(
                            key: block.key(index), value: block.value(index), offset: slot.offset,
                            timestamp: slot.timestamp))
                }
            case .finished(let split, let position): finished[split] = position
            case .reachedEnd(let split, let position): reachedEnds[split] = position
            default: break
            }
        }
    }
}

@Suite struct GenerateInputTests {
    private let clock = ManualClock()
    private let lanes = [Split("g", 0), Split("g", 1)]

    private func input(rate: Double = 1000, count: Int64? = 101, seed: UInt64 = 7) throws -> any InputPort {
        let config = GenerateConfig(
            rate: rate, value: try Template(#"{"n": {{sequence}}, "x": "{{hex:8}}"}"#),
            key: try Template("{{choice:a|b}}"),
            lanes: 2, seed: seed, count: count)
        let source = GenerateSource(config, ConnectorContext(name: "g", clock: clock, wakeTimer: .never))
        #expect(source.isReplayable && source.isBounded == (count != nil))
        let input = source.makeInput()
        input.start()
        guard case .assigned(let splits)? = input.poll(bytesMax: 0) else {
            Issue.record("no splits were assigned")
            return input
        }
        #expect(splits == Set(lanes))
        return input
    }

    private func all(_ input: any InputPort, from positions: [Position] = [0, 0]) -> Harvest {
        input.open(Dictionary(uniqueKeysWithValues: zip(lanes, positions)))
        clock.advance(.seconds(1000))
        var harvest = Harvest()
        harvest.take(from: input)
        return harvest
    }

    @Test func givesEveryRecordOnceAndEnds() throws {
        let harvest = all(try input())
        // 101 records over two lanes: 51 and 50.
        #expect(harvest.records[lanes[0]]?.map(\.offset) == Array(0..<51))
        #expect(harvest.records[lanes[1]]?.map(\.offset) == Array(0..<50))
        #expect(harvest.finished == [lanes[0]: 51, lanes[1]: 50])
        #expect(
            harvest.records[lanes[1]]?[2].value.map { String(decoding: $0.prefix(8), as: UTF8.self) } == #"{"n": 5,"#)
        // Number 5 at 1000 records a second.
        #expect(harvest.records[lanes[1]]?[2].timestamp == 1_767_225_600_005)
    }

    @Test func sameSeedSameRecords() throws {
        #expect(all(try input()).records == all(try input()).records)
        #expect(all(try input()).records != all(try input(seed: 8)).records)
    }

    @Test func replaysFromEveryPosition() throws {
        let whole = all(try input()).records
        let input = try input()
        for position in 0...51 {
            let part = all(input, from: [Position(Int64(position)), 50])
            #expect(part.records[lanes[0]] ?? [] == Array(whole[lanes[0], default: []].dropFirst(position)))
            #expect(part.records[lanes[1]] == nil)
            #expect(part.finished == [lanes[0]: 51, lanes[1]: 50])
        }
    }

    @Test func keepsThePace() throws {
        let input = try input(rate: 100, count: nil)
        input.open([lanes[0]: 0, lanes[1]: 10])
        var harvest = Harvest()
        harvest.take(from: input)
        #expect(harvest.records.isEmpty)
        #expect(harvest.reachedEnds == [lanes[0]: 0, lanes[1]: 10])
        // 50 a second and lane: a quarter of a second is 12 records each.
        clock.advance(.milliseconds(250))
        harvest.take(from: input)
        #expect(harvest.records[lanes[0]]?.map(\.offset) == Array(0..<12))
        #expect(harvest.records[lanes[1]]?.map(\.offset) == Array(10..<22))
        #expect(harvest.reachedEnds == [lanes[0]: 12, lanes[1]: 22])
        // What was handed out once is due at once when it is asked for again.
        input.open([lanes[0]: 4])
        harvest = Harvest()
        harvest.take(from: input)
        #expect(harvest.records[lanes[0]]?.map(\.offset) == Array(4..<12))
        input.requestEnds([lanes[0]])
        guard case .ends(let ends)? = input.poll(bytesMax: 0) else { return #expect(Bool(false)) }
        #expect(ends == [lanes[0]: 12])
    }

    @Test func bytesAreBounded() throws {
        let input = try input(rate: 1e9, count: nil)
        input.open([lanes[0]: 0, lanes[1]: 0])
        clock.advance(.seconds(1))
        #expect(!isRecords(input.poll(bytesMax: 0)))
        for bytesMax in [1, 100, 1000, 100_000] {
            guard case .records(let block)? = input.poll(bytesMax: bytesMax) else {
                Issue.record("no records")
                continue
            }
            // One record may go over the limit in each lane; a record has less than 64 bytes here.
            #expect(block.arena.count > 0 && block.arena.count < bytesMax + 128)
        }
    }

    @Test func pausedAndReleasedLanesGiveNothing() throws {
        let input = try input(rate: 1e6, count: nil)
        input.open([lanes[0]: 0, lanes[1]: 0])
        input.pause([lanes[0]])
        clock.advance(.milliseconds(1))
        var harvest = Harvest()
        harvest.take(from: input)
        #expect(harvest.records.keys.sorted() == [lanes[1]])
        input.resume([lanes[0]])
        input.release([lanes[1]])
        clock.advance(.milliseconds(1))
        harvest = Harvest()
        harvest.take(from: input)
        #expect(harvest.records.keys.sorted() == [lanes[0]])
        input.close(within: .zero)
        #expect(input.poll(bytesMax: 100) == nil)
    }

    @Test func resolvesStarts() throws {
        let input = try input(rate: 10, count: nil)
        input.resolve([lanes[0]: .earliest, lanes[1]: .timestamp(milliseconds: 1_767_225_600_500)])
        guard case .resolved(let positions)? = input.poll(bytesMax: 0) else { return #expect(Bool(false)) }
        // Lane 1 holds numbers 1, 3, 5 …, at 0.1, 0.3, 0.5 s.
        #expect(positions == [lanes[0]: 0, lanes[1]: 2])
    }

    @Test func hostilePositionsAreHarmless() throws {
        let input = try input(count: nil)
        for number in [Int64.min, -1, .max, .max - 1] {
            input.open([lanes[0]: Position(number), lanes[1]: Position(number)])
            clock.advance(.seconds(1))
            _ = input.poll(bytesMax: 100)
        }
    }

    @Test func wakesWhenTheNextRecordIsDue() throws {
        let delays = Mutex<[Duration]>([])
        let timer = WakeTimer { delay, _ in delays.withLock { $0.append(delay) } }
        let config = GenerateConfig(rate: 4, value: try Template("x"))
        let input = GenerateSource(config, ConnectorContext(name: "g", clock: clock, wakeTimer: timer)).makeInput()
        input.onReady = {}
        input.start()
        _ = input.poll(bytesMax: 1)
        input.open([lanes[0]: 0])
        _ = input.poll(bytesMax: 1)
        #expect(input.poll(bytesMax: 1) == nil)
        #expect(input.poll(bytesMax: 1) == nil)
        #expect(delays.withLock { $0 } == [.milliseconds(250)])
    }

    private func isRecords(_ event: InputEvent?) -> Bool { if case .records? = event { true } else { false } }
}
