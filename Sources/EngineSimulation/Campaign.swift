package import StreamCore

/// Many runs: seeds from one on, some scenarios on some clusters, maybe with a breakage.
package struct Campaign: Sendable {
    package var from: UInt64
    package var seeds: UInt64
    package var scenarios: [Scenario]
    package var clusters: [ClusterKind]
    package var breakages: ProtocolBreakage
    package var folder: String?

    package init(
        from: UInt64 = 1, seeds: UInt64, scenarios: [Scenario] = Scenario.allCases,
        clusters: [ClusterKind] = ClusterKind.allCases, breakages: ProtocolBreakage = [], folder: String? = nil
    ) {
        self.from = from
        self.seeds = seeds
        self.scenarios = scenarios
        self.clusters = clusters
        self.breakages = breakages
        self.folder = folder
    }

    /// All runs of one seed.
    package func runs(_ seed: UInt64) -> [SimulationRun] {
        clusters.flatMap { cluster in
            scenarios.map {
                SimulationRun(seed: seed, scenario: $0, cluster: cluster, breakages: breakages, folder: folder)
            }
        }
    }

    /// What some runs have shown.
    package struct Result: Sendable {
        package var statistics = Statistics()
        /// The first one.
        package var failure: (run: SimulationRun, verdict: Verdict)?

        package init() {}
    }

    /// Runs the seeds of one worker among several, up to the first failure or until it is told to stop.
    /// - Parameter mayGoOn: asked after every seed, with what has happened since it was asked before.
    package func run(worker: Int, of workers: Int, mayGoOn: (Statistics) -> Bool) -> Result {
        var result = Result()
        var seed = from + UInt64(worker)
        while seed < from + seeds {
            var news = Statistics()
            for run in runs(seed) where result.failure == nil {
                let verdict = run()
                news += verdict.statistics
                if verdict.violation != nil { result.failure = (run, verdict) }
            }
            result.statistics += news
            guard mayGoOn(news), result.failure == nil else { break }
            seed += UInt64(workers)
        }
        return result
    }
}
