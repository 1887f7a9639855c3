import StateStore
import StreamCore
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What an update costs, told and not judged: `MILLRACE_BENCH=1 swift test -c release --filter StateTableSpeed`.
@Suite(.serialized, .enabled(if: getenv("MILLRACE_BENCH") != nil))
struct StateTableSpeed {
    /// Ten thousand keys lie in a processor's cache, a million do not.
    @Test(arguments: [10_000, 1_000_000]) func updates(_ keyCount: Int) throws {
        let keys = (0..<keyCount).map { "user-\($0)" }
        let table = StateTable<String, Int>(id: 0)
        var random = StableRandom(seed: 1)
        let order = (0..<4_000_000).map { _ in Int.random(in: 0..<keys.count, using: &random) }
        // Processor time, as the machine may have more to do.
        func now() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
        func time(_ name: String, _ count: Int, _ body: () throws -> Void) rethrows {
            let start = now()
            try body()
            print("\(keyCount) keys, \(name): \(Int((now() - start) * 1e9 / Double(count))) ns each")
        }
        var plain: [String: Int] = [:]
        for key in keys { plain[key] = 0 }
        time("a dictionary, at random", order.count) {
            for index in order { plain[keys[index], default: 0] += 1 }
        }
        time("a dictionary, in order", keys.count) {
            for key in keys { plain[key, default: 0] += 1 }
        }
        try time("insert", keys.count) {
            for key in keys { try table.update(key) { value in value = 0 } }
        }
        try time("seal", keys.count) { _ = try seal(table, 1) }
        table.commit(1)
        try time("first touches, then in place, at random", order.count) {
            for index in order { try table.update(keys[index]) { value in value = (value ?? 0) + 1 } }
        }
        try time("in place, at random", order.count) {
            for index in order { try table.update(keys[index]) { value in value = (value ?? 0) + 1 } }
        }
        try time("in place, in order", keys.count) {
            for key in keys { try table.update(key) { value in value = (value ?? 0) + 1 } }
        }
        try time("lookup, at random", order.count) {
            var sum = 0
            for index in order { sum &+= try table.value(for: keys[index]) ?? 0 }
            #expect(sum > 0)
        }
        #expect(table.count == keys.count)
    }
}
