import CommitProtocol
import StreamCore
import StreamTesting

/// What must not happen, by the numbers of the commit protocol's invariants.
package struct Violation: Hashable, Sendable {
    package var invariant: Int
    package var text: String
    package var step = 0
}

/// Works out by itself what every commit must hold, from the input and the positions alone.
///
/// Commits are looked at in the order in which they are decided: that is the order in which read_committed readers see
/// them.
final class Oracle {
    private let schedule: Schedule
    private let outside: OutsideTable
    private let input: () -> [Split: [String?]]
    /// What is committed.
    private(set) var positions: [Split: Position] = [:]
    private var totals: [String: Int] = [:]
    private var lastEpoch: Epoch?
    private var plan: ProgressRecord?
    private var batches: [(timeMs: Int64, words: [String])] = []

    static let intervalMs: Int64 = 200
    static let windowMs: Int64 = 600

    init(_ schedule: Schedule, _ outside: OutsideTable, input: @escaping () -> [Split: [String?]]) {
        self.schedule = schedule
        self.outside = outside
        self.input = input
    }

    /// Records that lie in a range, without markers.
    func recordCount(_ range: SplitRange) -> Int {
        let values = input()[range.split] ?? []
        return (Int(range.from.number)..<max(Int(range.from.number), Int(range.to.number))).count {
            $0 < values.count && values[$0] != nil
        }
    }

    func check(_ commit: EpochCommit, _ outputs: [SimulatedCluster.Output]) -> Violation? {
        if let plan = commit.progress, plan.phase == .planned { return checkPlan(plan, commit, outputs) }
        var read: [Split: [String]] = [:]
        let input = input()
        if let found = checkProgress(commit) { return found }
        for (split, position) in commit.positions.sorted(by: { $0.key < $1.key }) {
            let from = positions[split] ?? 0
            let values = input[split] ?? []
            if position < from {
                return Violation(invariant: 2, text: "\(split) goes back from \(from) to \(position)")
            }
            if position.number > Int64(values.count) {
                return Violation(invariant: 2, text: "\(split) is committed to \(position), its end is \(values.count)")
            }
            read[split] = values[Int(from.number)..<Int(position.number)].compactMap { $0 }
            positions[split] = position
        }
        let values = outputs.map(\.value)
        switch schedule.scenario {
        case .stateless: return checkStateless(read, values)
        case .keyed: return checkEpoch(commit) ?? checkKeyed(read, values)
        case .windowed: return checkEpoch(commit) ?? checkWindow(commit, read, values)
        case .delivered:
            return checkEpoch(commit) ?? checkKeyed(read, values) ?? checkDelivery(commit, values)
        }
    }

    /// A plan commits nothing but itself, and stays what it was.
    private func checkPlan(
        _ plan: ProgressRecord, _ commit: EpochCommit, _ outputs: [SimulatedCluster.Output]
    ) -> Violation? {
        let moved = commit.positions.filter { $0.value != positions[$0.key] ?? 0 }.keys.min()
        if let moved { return Violation(invariant: 2, text: "the plan of epoch \(plan.epoch) moves \(moved)") }
        if !outputs.isEmpty { return Violation(invariant: 1, text: "the plan of epoch \(plan.epoch) has outputs") }
        if let lastEpoch, lastEpoch >= plan.epoch {
            return Violation(invariant: 2, text: "epoch \(plan.epoch) is planned behind \(lastEpoch)")
        }
        if let earlier = self.plan, earlier.epoch == plan.epoch, earlier.ranges != plan.ranges {
            return Violation(invariant: 2, text: "epoch \(plan.epoch) is planned again, with other records")
        }
        self.plan = plan
        return nil
    }

    /// What an epoch commits was delivered before, and nothing else; and all of it was planned.
    private func checkDelivery(_ commit: EpochCommit, _ outputs: [String]) -> Violation? {
        let delivered = outside.rows(of: commit.epoch)
        if let found = difference(delivered, outputs.sorted()) {
            return Violation(invariant: 2, text: "delivered outside for epoch \(commit.epoch): \(found)")
        }
        guard !delivered.isEmpty, plan?.epoch != commit.epoch || plan?.ranges != commit.progress?.ranges else {
            return nil
        }
        return Violation(invariant: 2, text: "epoch \(commit.epoch) was delivered by no plan")
    }

    /// Group offsets mirror the progress record.
    private func checkProgress(_ commit: EpochCommit) -> Violation? {
        guard let record = commit.progress, record.phase == .committed else { return nil }
        for entry in record.positions {
            let mirrored = commit.positions[entry.split] ?? positions[entry.split]
            if mirrored != entry.position {
                return Violation(
                    invariant: 2,
                    text: "the progress record has \(entry.split) at \(entry.position), the group at "
                        + (mirrored.map(\.description) ?? "none"))
            }
        }
        return nil
    }

    private func checkEpoch(_ commit: EpochCommit) -> Violation? {
        defer { lastEpoch = commit.epoch }
        guard let lastEpoch, lastEpoch >= commit.epoch else { return nil }
        return Violation(invariant: 2, text: "epoch \(commit.epoch) is committed behind \(lastEpoch)")
    }

    private func checkStateless(_ read: [Split: [String]], _ outputs: [String]) -> Violation? {
        var rest: [Split: [String]] = [:]
        for value in outputs {
            let number = value.dropFirst().prefix { $0 != "-" }
            rest[Split("in", PartitionID(Int32(number) ?? -1)), default: []].append(value)
        }
        for split in Set(read.keys).union(rest.keys).sorted() {
            let expected = (read[split] ?? []).filter { !$0.hasPrefix("drop") }.map { $0.uppercased() }
            if let found = difference(rest[split] ?? [], expected) {
                return Violation(invariant: 1, text: "\(split): \(found)")
            }
        }
        return nil
    }

    private func checkKeyed(_ read: [Split: [String]], _ outputs: [String]) -> Violation? {
        var touched: Set<String> = []
        for word in read.values.joined() {
            totals[word, default: 0] += 1
            touched.insert(word)
        }
        let expected = touched.sorted().map { "\($0)=\(totals[$0] ?? 0)" }
        return difference(outputs.sorted(), expected).map { Violation(invariant: 3, text: $0) }
    }

    private func checkWindow(_ commit: EpochCommit, _ read: [Split: [String]], _ outputs: [String]) -> Violation? {
        guard let record = commit.progress else { return Violation(invariant: 2, text: "no progress record") }
        let time = record.batchTimeMs
        let words = read.values.flatMap { $0 }
        guard record.startTimeMs != nil, time != batches.last?.timeMs else {
            guard words.isEmpty, outputs.isEmpty else {
                return Violation(invariant: 1, text: "\(words.count) records and \(outputs.count) outputs of no batch")
            }
            return nil
        }
        if let last = batches.last, time != last.timeMs + Self.intervalMs {
            return Violation(invariant: 2, text: "the batch of \(time) follows that of \(last.timeMs)")
        }
        batches.append((time, words))
        var counts: [String: Int] = [:]
        for batch in batches.reversed() {
            guard batch.timeMs > time - Self.windowMs else { break }
            for word in batch.words { counts[word, default: 0] += 1 }
        }
        let expected = counts.keys.sorted().map { "\($0)=\(counts[$0] ?? 0)" }
        return difference(outputs.sorted(), expected).map { Violation(invariant: 3, text: "batch \(time): \($0)") }
    }

    private func difference(_ actual: [String], _ expected: [String]) -> String? {
        guard actual != expected else { return nil }
        return "committed \(actual.prefix(12)), expected \(expected.prefix(12)) (\(actual.count) and \(expected.count))"
    }

    // MARK: - The end

    /// What read_committed readers have at the end, against the whole input.
    func checkEnd(_ cluster: any Cluster) throws -> Violation? {
        let values = try cluster.readOutputs()
        let all = cluster.input.values.flatMap { $0.compactMap { $0 } }
        switch schedule.scenario {
        case .stateless:
            let expected = all.filter { !$0.hasPrefix("drop") }.map { $0.uppercased() }.sorted()
            return difference(values.sorted(), expected).map { Violation(invariant: 1, text: "at the end: \($0)") }
        case .keyed, .delivered:
            var last: [String: String] = [:]
            for value in values { last[String(value.prefix { $0 != "=" })] = value }
            var expected: [String: Int] = [:]
            for word in all { expected[word, default: 0] += 1 }
            let wanted = expected.keys.sorted().map { "\($0)=\(expected[$0] ?? 0)" }
            if let found = difference(last.values.sorted(), wanted) {
                return Violation(invariant: 3, text: "at the end: \(found)")
            }
            let restored = try restoredTotals(cluster, expected.keys.sorted())
            return difference(restored, wanted).map { Violation(invariant: 3, text: "changelog at the end: \($0)") }
        case .windowed:
            let seen = batches.reduce(0) { $0 + $1.words.count }
            guard seen != all.count else { return nil }
            return Violation(invariant: 2, text: "batches hold \(seen) records of \(all.count)")
        }
    }
}
