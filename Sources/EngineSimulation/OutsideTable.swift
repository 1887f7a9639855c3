import CommitProtocol
import StreamCore
import Synchronization

/// A table outside Kafka that user output code writes, epoch by epoch. It outlasts every process, and tells what a plan
/// rests on: an epoch that is delivered again brings the same rows.
package final class OutsideTable: Sendable {
    /// One epoch, as it was delivered so far.
    struct Delivery: Hashable, Sendable {
        var ranges: [SplitRange]
        var batchTimeMs: Int64
        var rows: [String: String] = [:]
    }

    private struct State {
        var deliveries: [Epoch: Delivery] = [:]
        var violation: Violation?
        var failuresArmed = 0
        var failureCount = 0
    }

    private let state = Mutex(State())

    struct Failed: Error {}

    /// What the output code of one task does.
    /// - Throws: in the middle, where a failure was armed.
    func write(_ plan: EpochPlan, _ rows: [(key: String, value: String)]) throws {
        try state.withLock { state in
            let ranges = plan.ranges.sorted { $0.split < $1.split }
            var delivery =
                state.deliveries[plan.epoch] ?? Delivery(ranges: ranges, batchTimeMs: plan.batchTimeMs)
            defer { state.deliveries[plan.epoch] = delivery }
            if delivery.ranges != ranges || delivery.batchTimeMs != plan.batchTimeMs {
                state.violation = Violation(invariant: 2, text: "epoch \(plan.epoch) is delivered by another plan")
            }
            let fails = state.failuresArmed > 0
            for row in rows.prefix(fails ? rows.count / 2 : rows.count) {
                if let earlier = delivery.rows.updateValue(row.value, forKey: row.key), earlier != row.value {
                    let text = "epoch \(plan.epoch) is delivered with \(row.key)=\(row.value), before with \(earlier)"
                    state.violation = Violation(invariant: 2, text: text)
                }
            }
            guard fails else { return }
            state.failuresArmed -= 1
            state.failureCount += 1
            throw Failed()
        }
    }

    /// The next writing fails.
    func armFailure() { state.withLock { $0.failuresArmed += 1 } }

    /// How often output code has failed.
    var failureCount: Int { state.withLock { $0.failureCount } }

    /// What was wrong with a delivery.
    var violation: Violation? { state.withLock { $0.violation } }

    func rows(of epoch: Epoch) -> [String] {
        state.withLock { $0.deliveries[epoch]?.rows.map { "\($0.key)=\($0.value)" }.sorted() ?? [] }
    }
}
