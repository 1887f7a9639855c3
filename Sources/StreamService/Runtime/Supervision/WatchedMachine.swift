package import StreamCore
package import StreamEngine

/// A step machine whose every step is a heartbeat: idle steps too, since no scheduler lets one sleep for long.
package final class WatchedMachine: StepMachine {
    private let inner: any StepMachine
    private let pulse: Heartbeats.Loop

    /// - Parameter deadline: for one step, and for the sleep before it.
    package init(_ inner: any StepMachine, _ heartbeats: Heartbeats, within deadline: Duration, at now: MonotonicTime) {
        self.inner = inner
        pulse = heartbeats.register(inner.name, within: deadline, at: now)
    }

    package var name: String { inner.name }
    package var signal: Signal { inner.signal }

    package func step(now: MonotonicTime) -> StepResult {
        pulse.beat(at: now)
        let result = inner.step(now: now)
        if result == .finished { pulse.end() }
        return result
    }
}
