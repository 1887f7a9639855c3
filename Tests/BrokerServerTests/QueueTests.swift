import Testing

@testable import BrokerServer

/// `#expect` calls no mutating function itself.
func result<R>(_ body: () throws -> R) rethrows -> R { try body() }

@Suite struct QueueTests {
    @Test func answersLeaveInTheOrderOfTheQuestions() throws {
        var slots = SlotQueue<String>(capacity: 3)
        let opened = [slots.open(), slots.open(), slots.open()]
        #expect(opened == [0, 1, 2])
        #expect(result { slots.isFull && slots.open() == nil })
        #expect(result { slots.fill(2, with: "c") })
        #expect(result { slots.next() == nil })
        #expect(result { slots.fill(0, with: "a") })
        #expect(result { slots.next() == "a" && slots.next() == nil })
        #expect(result { slots.fill(1, with: "b") })
        #expect(result { slots.next() == "b" && slots.next() == "c" && slots.next() == nil })
        #expect(slots.count == 0)
    }

    @Test func aSlotIsFilledOnce() {
        var slots = SlotQueue<Int>(capacity: 2)
        #expect(result { !slots.fill(0, with: 1) })
        #expect(result { slots.open() == 0 })
        #expect(result { slots.fill(0, with: 2) && !slots.fill(0, with: 3) })
        #expect(result { slots.next() == 2 })
        #expect(result { !slots.fill(0, with: 4) && !slots.fill(1, with: 4) && !slots.fill(.max, with: 4) })
    }

    @Test func numbersGoOnForEver() {
        var slots = SlotQueue<UInt64>(capacity: 5)
        var taken: UInt64 = 0
        for sequence in 0..<1_000 as Range<UInt64> {
            #expect(result { slots.open() == sequence })
            guard sequence % 4 == 3 else { continue }
            for filled in (taken...sequence).reversed() { #expect(result { slots.fill(filled, with: filled) }) }
            while let value = slots.next() {
                #expect(value == taken)
                taken += 1
            }
        }
        #expect(taken == 1_000)
    }

    @Test func bytesLeaveInOrderWhateverTheSystemTakes() {
        let large = [UInt8](repeating: 1, count: 5_000)
        var response = ResponseBytes([1, 2])
        response.append(large[0..<4_500])
        response.append([])
        response.append([3])
        #expect(response.count == 4_503 && response.pieces.count == 3)
        var expected: [UInt8] = [0, 0, 0x11, 0x97, 1, 2]
        expected += large[0..<4_500] + [3] + [0, 0, 0, 1, 9]
        for step in [1, 3, 1_000, 4_600] {
            var queue = OutgoingQueue()
            #expect(result { queue.append(response) && queue.append(ResponseBytes([9])) })
            #expect(queue.count == expected.count)
            var sent: [UInt8] = []
            while !queue.isEmpty {
                let front = queue.front(piecesMax: 8)
                #expect(front.allSatisfy { !$0.isEmpty } && front.count <= 3)
                let part = Array(front.joined().prefix(step))
                sent += part
                queue.remove(part.count)
            }
            #expect(sent == expected)
            #expect(result { queue.front(piecesMax: 8).isEmpty })
        }
    }

    @Test func smallAnswersAreJoined() {
        var queue = OutgoingQueue()
        for _ in 0..<100 { #expect(result { queue.append(ResponseBytes([1, 2, 3])) }) }
        #expect(result { queue.front(piecesMax: 64).map(\.count) == [700] })
    }

    @Test func holdsLinesBack() {
        var throttle = LogThrottle(intervalMs: 1_000)
        #expect(result { throttle.pass(nowMs: 5) == 0 })
        #expect(result { throttle.pass(nowMs: 5) == nil && throttle.pass(nowMs: 1_004) == nil })
        #expect(result { throttle.pass(nowMs: 1_005) == 2 })
        #expect(result { throttle.pass(nowMs: 3_000) == 0 })
    }

    @Test func readsAddresses() throws {
        let address = try ListenAddress("127.0.0.1:9092")
        #expect(address == ListenAddress(host: "127.0.0.1", port: 9_092))
        let long = try ListenAddress("[::1]:0")
        #expect(long == ListenAddress(host: "::1", port: 0) && long.description == "[::1]:0")
        for text in ["", "9092", ":9092", "localhost", "::1:9092", "[::1:9092", "[]:1", "a:65536", "a:-1", "a:"] {
            #expect(throws: ServerError.self) { try ListenAddress(text) }
        }
    }
}
