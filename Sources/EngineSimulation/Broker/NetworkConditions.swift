import StreamCore

/// How often something goes wrong between a client and the broker, of a thousand requests.
package struct NetworkConditions: Hashable, Sendable {
    /// The connection ends before the request arrives, or before its answer does.
    package var losses = 0
    /// The broker says that it cannot answer now (a coordinator that moves, a log that is not ready).
    package var refusals = 0
    /// A request or an answer takes up to a second.
    package var delays = 0

    package init() {}

    /// Half of the networks are quiet, so that a single fault can be looked at.
    init(_ random: inout StableRandom) {
        guard random.below(2) == 0 else { return }
        losses = random.below(40)
        refusals = random.below(40)
        delays = random.below(30)
    }
}
