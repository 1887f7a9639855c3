import StateStore
import StreamCore
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What an ordered table's calls cost in memory, told and not judged:
/// `MILLRACE_BENCH=1 swift test -c release --filter OrderedTableSpeed`.
@Suite(.serialized, .enabled(if: getenv("MILLRACE_BENCH") != nil))
struct OrderedTableSpeed {
    /// Groups of 100 entries each.
    @Test(arguments: [100, 10_000]) func calls(_ groupCount: Int) throws {
        let state = OrderedWorld.state(HandClock(), 0, 1, nil)
        let table = state.orderedTable(id: 0)
        let groups = (0..<groupCount).map { table.group("user-\($0)".utf8) }
        let keys = (0..<UInt64(100)).map { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - $0 * 8)) }
        }
        let value = [UInt8](repeating: 1, count: 32)
        var random = StableRandom(seed: 1)
        let order = (0..<1_000_000).map { _ in Int.random(in: 0..<groupCount * 100, using: &random) }
        // Processor time, as the machine may have more to do.
        func now() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
        func time(_ name: String, _ count: Int, _ body: () throws -> Void) rethrows {
            let start = now()
            try body()
            let seconds = now() - start
            print("\(groupCount * 100) entries, \(name): \(Int(Double(count) / seconds)) a second")
        }
        try time("put, new", groupCount * 100) {
            for key in keys { for group in groups { try table.put(value, for: key, in: group) } }
        }
        try time("seal and commit", groupCount * 100) {
            _ = try state.seal(1)
            try state.commit(1)
        }
        try time("put, at random", order.count) {
            for (number, place) in order.enumerated() {
                let value = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 32)
                try table.put(value, for: keys[place % 100], in: groups[place / 100])
            }
        }
        try time("get, at random", order.count) {
            var sum = 0
            for place in order { sum += try table.value(for: keys[place % 100], in: groups[place / 100])?.count ?? 0 }
            #expect(sum == 32 * order.count)
        }
        try time("passes over 10 entries, at random", order.count) {
            var sum = 0
            for place in order {
                try table.forEachEntry(in: groups[place / 100], .from(keys[place % 90]), limit: 10) { _, value in
                    sum += value.count
                    return true
                }
            }
            #expect(sum == 320 * order.count)
        }
        #expect(table.count == groupCount * 100)
    }
}
