public import StateStore
import StreamCore

/// What `mapWithState` does with each pair: Spark's StateSpec.
///
///     let spec = StateSpec { (word: String, one: Int?, state: inout KeyState<Int>) in
///         let count = (state.value ?? 0) + (one ?? 0)
///         state.update(count)
///         return (word, count)
///     }
///
/// The function runs once for each pair, in the order in which a task's pairs arrived, and gives one element (nil:
/// none). With a timeout it also runs once, without a value, for each key that has been idle for longer.
public struct StateSpec<
    Key: Hashable & StateCodable & Sendable, Value: Sendable, State: StateCodable & Sendable, Out
>: Sendable {
    let function: @Sendable (Key, Value?, inout KeyState<State>) throws -> Out?
    var initial: [Key: State] = [:]
    var idleTimeout: Duration?

    public init(_ function: @escaping @Sendable (Key, Value?, inout KeyState<State>) throws -> Out?) {
        self.function = function
    }

    /// State that is there before the query's first batch. It shows in snapshots and to the function, and is no output.
    public func initialState(_ state: [Key: State]) -> StateSpec {
        var copy = self
        copy.initial = state
        return copy
    }

    /// Drops a key that no pair has touched for longer than this. Idle keys are looked for in every tenth batch, as in
    /// Spark: until then they stay.
    public func timeout(_ idle: Duration) -> StateSpec {
        var copy = self
        copy.idleTimeout = idle
        return copy
    }
}

/// One key's state during a call of a `StateSpec`'s function.
public struct KeyState<State> {
    /// nil: the key has none, or it was removed.
    public private(set) var value: State?
    /// The key is dropped after this call, because it was idle too long; it can be neither updated nor removed.
    public let isTimingOut: Bool
    var wasRemoved = false
    var misuse: StreamError?

    init(_ value: State?, isTimingOut: Bool = false) {
        self.value = value
        self.isTimingOut = isTimingOut
    }

    public var exists: Bool { value != nil }

    /// Sets the state. Not after `remove`, nor while it is timing out: the batch fails then (`STATE_MISUSE`), as in
    /// Spark.
    public mutating func update(_ state: State) {
        guard mayChange("updated") else { return }
        value = state
    }

    /// Removes the key. The same rules as for `update`.
    public mutating func remove() {
        guard mayChange("removed") else { return }
        value = nil
        wasRemoved = true
    }

    private mutating func mayChange(_ what: String) -> Bool {
        guard isTimingOut || wasRemoved else { return true }
        let reason = isTimingOut ? "it is timing out" : "it was removed in the same call"
        misuse =
            misuse
            ?? StreamError(
                "STATE_MISUSE", "A key's state cannot be \(what): \(reason).",
                remedy: "Look at isTimingOut before changing the state, and change it no more after remove().",
                domain: .user)
        return false
    }
}
