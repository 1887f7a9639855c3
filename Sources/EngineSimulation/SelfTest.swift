package import StreamCore

/// Shows that the judge can be trusted: every deliberate breakage of the protocol is found, nothing is found without
/// it, and a run repeats.
package struct SelfTest: Sendable {
    /// What became of one breakage on one cluster.
    package struct Outcome: Sendable {
        package var mutation: String
        package var cluster: ClusterKind
        /// The first run that shows it.
        package var found: (schedule: Schedule, violation: Violation)?
        /// The same schedule has the same trace once more, and breaks nothing without the breakage.
        package var isRepeatable = false
        package var isSoundWithout = false

        package var isRight: Bool { found != nil && isRepeatable && isSoundWithout }
    }

    package var clusters: [ClusterKind]
    /// A breakage is to be found in no more seeds than this.
    package var seeds: UInt64

    package init(clusters: [ClusterKind], seeds: UInt64) {
        self.clusters = clusters
        self.seeds = seeds
    }

    /// Every pair that is looked at.
    package var cases: [(mutation: (name: String, breakage: ProtocolBreakage), cluster: ClusterKind)] {
        clusters.flatMap { cluster in
            ProtocolBreakage.all.filter { Self.isVisible($0.breakage, on: cluster) }.map { ($0, cluster) }
        }
    }

    package func run(_ mutation: (name: String, breakage: ProtocolBreakage), _ cluster: ClusterKind) -> Outcome {
        var outcome = Outcome(mutation: mutation.name, cluster: cluster)
        let campaign = Campaign(
            seeds: seeds, scenarios: Self.scenarios(of: mutation.breakage), clusters: [cluster],
            breakages: mutation.breakage)
        guard let failure = campaign.run(worker: 0, of: 1, mayGoOn: { _ in true }).failure,
            let violation = failure.verdict.violation
        else { return outcome }
        outcome.found = (failure.run.schedule, violation)
        outcome.isRepeatable = failure.run().traceHash == failure.verdict.traceHash
        outcome.isSoundWithout = SimulationRun(failure.run.schedule)().violation == nil
        return outcome
    }

    /// The scenarios that a breakage concerns.
    package static func scenarios(of breakage: ProtocolBreakage) -> [Scenario] {
        switch breakage {
        case .stateNotRolledBack, .undoJournalLost, .restoreUnfinished, .fencingIgnored: [.keyed, .windowed]
        case .splitsReleasedEarly, .gateNotShut, .outputsAhead: [.stateless]
        case .planForgotten, .deliveredUnplanned, .deliveredLate, .replayUnconfirmed: [.delivered]
        // With output code it ends in a precondition of the state before anything is committed.
        case .staleAttemptUsed: [.stateless, .keyed]
        default: Scenario.allCases
        }
    }

    /// The model ends a session and tells its member in one step, so that nobody repeats a plan unawares.
    private static func isVisible(_ breakage: ProtocolBreakage, on cluster: ClusterKind) -> Bool {
        breakage != .replayUnconfirmed || cluster == .broker
    }
}
