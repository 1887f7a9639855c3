import CommitProtocol
import StreamTesting

/// What happened in runs: shows that faults really occur.
package struct Statistics: Sendable {
    package var runs = 0
    /// Of those, with local state.
    package var diskRuns = 0
    package var steps = 0
    package var lives = 0
    package var commits = 0
    /// Epochs that an instance told of.
    package var epochs = 0
    package var records = 0
    package var lateCommits = 0
    /// The longest graceful stop that nothing impeded.
    package var slowestStop = Duration.zero
    /// By the name of the kind.
    package var faults: [String: Int] = [:]
    /// What writers answered instead of what they were asked for.
    package var failures: [String: Int] = [:]

    package init() {}

    mutating func count(_ fault: Fault, hasDisk: Bool) {
        // What waits in a writer is counted when it happens.
        if case .transaction = fault { return }
        faults[fault.kind(hasDisk: hasDisk), default: 0] += 1
    }

    mutating func count(_ fault: SimulatedWriter.Fault, _ count: Int) {
        let name =
            switch fault {
            case .refused(let kind): "refused, \(kind.rawValue)"
            case .lostRequest: "lost requests"
            case .lateRequest: "late requests"
            case .lostAnswer: "lost answers"
            }
        faults[name, default: 0] += count
    }

    package static func += (a: inout Statistics, b: Statistics) {
        a.runs += b.runs
        a.diskRuns += b.diskRuns
        a.steps += b.steps
        a.lives += b.lives
        a.commits += b.commits
        a.epochs += b.epochs
        a.records += b.records
        a.lateCommits += b.lateCommits
        a.slowestStop = max(a.slowestStop, b.slowestStop)
        a.faults.merge(b.faults, uniquingKeysWith: +)
        a.failures.merge(b.failures, uniquingKeysWith: +)
    }
}
