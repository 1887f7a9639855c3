import Synchronization
import Testing

@testable import StreamCore

@Suite struct CallbackTests {
    @Test func callsWhatWasSetLast() {
        let calls = Mutex<[Int]>([])
        let callback = Callback()
        callback()
        callback.body = { calls.withLock { $0.append(1) } }
        callback()
        callback.body = { calls.withLock { $0.append(2) } }
        callback()
        callback.body = nil
        callback()
        #expect(calls.withLock { $0 } == [1, 2])
    }

    /// A service calls it thousands of times a second. A mutex over the bare closure wraps it twice with each access:
    /// the last of these calls would be two million frames deep.
    @Test func isAsCheapAfterAMillionCalls() {
        let calls = Mutex(0)
        let callback = Callback()
        callback.body = { calls.withLock { $0 += 1 } }
        for _ in 0..<1_000_000 { _ = callback.body }
        callback()
        #expect(calls.withLock { $0 } == 1)
    }
}
