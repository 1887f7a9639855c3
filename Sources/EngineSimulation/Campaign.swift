package import StreamCore

/// Many runs: seeds from one on, some scenarios, maybe with a breakage.
package struct Campaign: Sendable {
    package var from: UInt64
    package var seeds: UInt64
    package var scenarios: [Scenario]
    package var breakages: ProtocolBreakage
    package var folder: String?

    package init(
        from: UInt64 = 1, seeds: UInt64, scenarios: [Scenario] = Scenario.allCases,
        breakages: ProtocolBreakage = [], folder: String? = nil
    ) {
        self.from = from
        self.seeds = seeds
        self.scenarios = scenarios
        self.breakages = breakages
        self.folder = folder
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
            for scenario in scenarios where result.failure == nil {
                let run = SimulationRun(seed: seed, scenario: scenario, breakages: breakages, folder: folder)
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
