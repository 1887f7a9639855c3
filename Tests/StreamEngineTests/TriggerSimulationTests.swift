import CommitProtocol
import StreamCore
import StreamEngine
import StreamTesting
import Testing

/// Triggers, limits, error policies, data loss and memory under the seeded scheduler.
@Suite struct TriggerSimulationTests {
    private static let split = Split("in", 0)

    @Test(arguments: 1...40) func aBoundedRunEndsThoughItsInputGrows(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 2, records: 40)
        try simulation.startProcess {
            $0.trigger = seed % 2 == 0 ? .availableNow : .once
            $0.offsetsPerTriggerMax = seed % 4 < 2 ? 7 : nil
        }
        var outcome = SimulatedScheduler.Outcome.outOfSteps
        for _ in 0..<2_000 where outcome == .outOfSteps {
            simulation.append(1, to: Self.split)
            outcome = simulation.scheduler.run(steps: 10)
        }
        #expect(outcome == .finished, "seed \(seed): \(String(describing: simulation.query?.status.snapshot))")
        #expect(simulation.query?.status.snapshot.failure == nil, "seed \(seed)")
        // Everything that was there at the start, and no record behind a gap.
        #expect((simulation.cluster.positions[Self.split]?.number ?? 0) >= 40, "seed \(seed)")
        let actual = simulation.actual[0]
        #expect(actual == Array(simulation.expected[0].prefix(actual.count)), "seed \(seed)")
    }

    @Test(arguments: 1...20) func aCapIsKeptAndDoesNotHoldUpNewRecords(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 3, records: 50)
        try simulation.startProcess { $0.offsetsPerTriggerMax = 9 }
        #expect(simulation.scheduler.run(steps: 100_000) { simulation.isCaughtUp } == .conditionMet, "seed \(seed)")
        simulation.append(12, to: Self.split)
        let began = simulation.clock.now
        #expect(simulation.scheduler.run(steps: 100_000) { simulation.isCaughtUp } == .conditionMet, "seed \(seed)")
        #expect(simulation.clock.now - began < .seconds(3), "seed \(seed): new records waited for newer ends")
        #expect(simulation.actual == simulation.expected, "seed \(seed)")
        // Spark's rule gives each split with a backlog at least one record.
        let largest = simulation.progress.all.map { $0.ranges.reduce(0) { $0 + $1.length } }.max() ?? 0
        #expect(largest <= 9 + 3, "seed \(seed)")
    }

    /// While nothing holds the epoch up nothing is gathered: it ends in the step that read the record.
    @Test func aRecordByItselfIsCutAtOnce() throws {
        for seed in UInt64(1)...20 {
            let simulation = Simulation(seed: seed)
            simulation.fill(splits: 1, records: 1)
            try simulation.startProcess()
            #expect(simulation.scheduler.run(steps: 100_000) { simulation.isCaughtUp } == .conditionMet)
            let rested = simulation.clock.now + .seconds(3)
            #expect(simulation.scheduler.run(steps: 100_000) { simulation.clock.now >= rested } == .conditionMet)
            simulation.append(1, to: Self.split)
            #expect(simulation.scheduler.run(steps: 100_000) { simulation.isCaughtUp } == .conditionMet)
            let open = try #require(simulation.progress.all.last?.readTime)
            #expect(open == .zero, "seed \(seed)")
        }
    }

    @Test(arguments: [false, true], [nil, Int64(20)])
    func anIntervalRunsOnItsGrid(runsEmptyEpochs: Bool, cap: Int64?) throws {
        let simulation = Simulation(seed: 5)
        simulation.fill(splits: 2, records: 30)
        try simulation.startProcess {
            $0.trigger = .interval(.milliseconds(500))
            $0.runsEmptyEpochs = runsEmptyEpochs
            $0.offsetsPerTriggerMax = cap
        }
        let end = simulation.clock.now + .seconds(10)
        #expect(simulation.scheduler.run(steps: 200_000) { simulation.clock.now >= end } == .conditionMet)
        #expect(simulation.actual == simulation.expected)
        let epochs = simulation.progress.all
        let times = epochs.map(\.batchTimeMs)
        #expect(times.allSatisfy { $0 % 500 == 0 })
        #expect(times == Array(Set(times)).sorted(), "each batch time once, in order")
        let emptyCount = epochs.filter { $0.counts.read == 0 && $0.ranges.isEmpty }.count
        #expect(runsEmptyEpochs ? emptyCount >= 10 : emptyCount == 0)
    }

    /// A client that is slower than its reader has nothing at hand now and then: the batch still covers what had come.
    @Test(arguments: 1...20) func aBatchOfABacklogIsNotCutWhereTheClientIsSlow(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 2, records: 60)
        try simulation.startProcess { $0.trigger = .interval(.milliseconds(500)) }
        simulation.input.blocksAtHandMax = 1
        #expect(simulation.scheduler.run(steps: 200_000) { simulation.isCaughtUp } == .conditionMet, "seed \(seed)")
        #expect(simulation.actual == simulation.expected, "seed \(seed)")
        // One until the ends are known, one for the rest, and one of what comes behind a gap.
        #expect(simulation.progress.all.filter { $0.counts.read > 0 }.count <= 3, "seed \(seed)")
    }

    /// What the rate leaves for the next batch does not hold this one up.
    @Test(arguments: 1...20) func aBatchEndsWhereItsRateEnds(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 2, records: 4)
        simulation.append(100, to: Self.split)
        try simulation.startProcess {
            $0.trigger = .interval(.milliseconds(500))
            $0.ratePerSplitMax = 14
        }
        #expect(simulation.scheduler.run(steps: 200_000) { simulation.isCaughtUp } == .conditionMet, "seed \(seed)")
        let readTimes = simulation.progress.all.filter { $0.counts.read > 0 }.map(\.readTime)
        #expect(readTimes.count > 10 && readTimes.allSatisfy { $0 < .milliseconds(250) }, "seed \(seed)")
    }

    @Test(arguments: 1...20) func aRateBoundsWhatABatchReadsFromEachSplit(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 3, records: 50)
        try simulation.startProcess {
            $0.trigger = .interval(.milliseconds(500))
            $0.ratePerSplitMax = 14
        }
        #expect(simulation.scheduler.run(steps: 200_000) { simulation.isCaughtUp } == .conditionMet, "seed \(seed)")
        #expect(simulation.actual == simulation.expected, "seed \(seed)")
        let lengths = simulation.progress.all.flatMap { $0.ranges.map(\.length) }
        #expect((lengths.max() ?? 0) == 7, "seed \(seed): 14 a second are 7 in half of one")
    }

    @Test(arguments: 1...20) func backpressureBeginsWithItsInitialRate(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 2, records: 60)
        try simulation.startProcess {
            $0.trigger = .interval(.seconds(1))
            $0.backpressure = BackpressureSettings()
            $0.backpressure?.initialRate = 10
        }
        #expect(simulation.scheduler.run(steps: 200_000) { simulation.isCaughtUp } == .conditionMet, "seed \(seed)")
        #expect(simulation.actual == simulation.expected, "seed \(seed)")
        let counts = simulation.progress.all.map { $0.ranges.reduce(0) { $0 + $1.length } }.filter { $0 > 0 }
        // The first batch teaches where to begin, the second what is possible: far more than there is.
        #expect(counts.prefix(2).allSatisfy { $0 <= 10 }, "seed \(seed): \(counts)")
        #expect(counts.count < 60 * 2 / 10, "seed \(seed): the rate never rose: \(counts)")
    }

    @Test(arguments: 1...30) func atLeastOnceLosesNothing(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 2, records: 60)
        simulation.prepare = { $0.isTransactional = false }
        var random = StableRandom(seed: seed)
        for _ in 0..<8 where !simulation.isCaughtUp {
            try simulation.startProcess(faultRate: 30) { $0.guarantee = .atLeastOnce }
            _ = simulation.scheduler.run(steps: 20 + Int(random.next() % 300)) { simulation.isCaughtUp }
        }
        try simulation.startProcess { $0.guarantee = .atLeastOnce }
        #expect(simulation.scheduler.run(steps: 100_000) { simulation.isCaughtUp } == .conditionMet, "seed \(seed)")
        for (actual, expected) in zip(simulation.actual, simulation.expected) {
            #expect(Set(actual) == Set(expected), "seed \(seed)")
        }
    }

    @Test(arguments: 1...20) func anExpiredTransactionIsHalvedUntilItFits(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 2, records: 200)
        simulation.prepare = { $0.expiresAbove = 6 }
        try simulation.startProcess()
        let outcome = simulation.scheduler.run(steps: 400_000) { simulation.isCaughtUp }
        #expect(outcome == .conditionMet, "seed \(seed): \(String(describing: simulation.query?.status.snapshot))")
        #expect(simulation.actual == simulation.expected, "seed \(seed)")
    }

    @Test(arguments: 0..<60) func aStopInAnyPhaseEndsAndLosesNothing(steps: Int) throws {
        let simulation = Simulation(seed: UInt64(steps))
        simulation.fill(splits: 2, records: 40)
        try simulation.startProcess(faultRate: 10)
        _ = simulation.scheduler.run(steps: steps * 4)
        if steps % 4 == 0 { simulation.input.revoke([Self.split]) }
        if steps % 4 == 1 { simulation.input.lose([Self.split]) }
        simulation.query?.control.stop(within: .seconds(10))
        let outcome = simulation.scheduler.run(steps: 50_000)
        #expect(outcome == .finished, "after \(steps): \(String(describing: simulation.query?.status.snapshot))")
        try simulation.startProcess()
        #expect(simulation.scheduler.run(steps: 50_000) { simulation.isCaughtUp } == .conditionMet, "after \(steps)")
        #expect(simulation.actual == simulation.expected, "after \(steps)")
    }

    // MARK: - Errors and data loss

    @Test func skippedAndDeadLettersAreCounted() throws {
        for policy in [ErrorPolicy.skip, .deadLetter("dlq")] {
            let simulation = Simulation(seed: 2)
            simulation.cluster.input[Self.split] = (0..<40).map { $0 % 10 == 4 ? "bad-\($0)" : "p0-\($0)" }
            try simulation.startProcess(policy: policy)
            // The counts come right behind the commit.
            let outcome = simulation.scheduler.run(steps: 100_000) {
                simulation.query?.status.snapshot.totals.read == 40
            }
            #expect(outcome == .conditionMet && simulation.isCaughtUp)
            let totals = simulation.query?.status.snapshot.totals ?? RowCounts()
            #expect(totals.isBalanced && totals.read == 40 && totals.emittedFrom == 36)
            #expect((totals.skipped, totals.deadLettered) == (policy == .skip ? (4, 0) : (0, 4)))
            let letters = simulation.cluster.outputs.filter { $0.topic == "dlq" }.map(\.value)
            #expect(letters == (policy == .skip ? [] : ["bad-4", "bad-14", "bad-24", "bad-34"]))
        }
    }

    @Test func theCeilingStopsTheQueryBeforeItIsPassed() throws {
        let simulation = Simulation(seed: 2)
        simulation.cluster.input[Self.split] = (0..<400).map { $0 % 10 == 4 ? "bad-\($0)" : "p0-\($0)" }
        try simulation.startProcess { $0.faultCeiling = 10 }
        #expect(simulation.scheduler.run(steps: 100_000) == .finished)
        #expect(simulation.query?.status.snapshot.failure?.code == "FAULT_CEILING")
        #expect(simulation.cluster.outputs.filter { $0.topic == "dlq" }.count <= 10)
    }

    @Test func lostRecordsStopTheQueryOrAreSkipped() throws {
        for continues in [false, true] {
            let simulation = Simulation(seed: 4)
            simulation.fill(splits: 1, records: 60)
            try simulation.startProcess { $0.offsetsPerTriggerMax = 5 }
            _ = simulation.scheduler.run(steps: 100_000) {
                (simulation.cluster.positions[Self.split]?.number ?? 0) >= 10
            }
            let reached = Int(simulation.cluster.positions[Self.split]?.number ?? 0)
            simulation.cluster.logStarts[Self.split] = 50
            try simulation.startProcess { $0.continuesOnDataLoss = continues }
            let outcome = simulation.scheduler.run(steps: 100_000) { simulation.isCaughtUp }
            let snapshot = simulation.query?.status.snapshot
            #expect(outcome == (continues ? .conditionMet : .finished))
            #expect(snapshot?.failure?.code == (continues ? nil : "DATA_LOSS"))
            guard continues else { continue }
            #expect(snapshot?.lostOffsets == Int64(50 - reached))
            let kept = (simulation.cluster.input[Self.split] ?? []).enumerated()
                .filter { $0.offset < reached || $0.offset >= 50 }
                .compactMap { $0.element }.filter { !$0.hasPrefix("drop") }.map { $0.uppercased() }
            #expect(simulation.actual[0] == kept)
        }
    }

    // MARK: - Memory

    @Test(arguments: 1...20) func memoryStaysInItsBudgetAndIsGivenBack(seed: UInt64) throws {
        let simulation = Simulation(seed: seed)
        simulation.fill(splits: 3, records: 200)
        try simulation.startProcess(faultRate: seed % 2 == 0 ? 25 : 0) {
            $0.memoryBytes = 16 << 10
            $0.taskCount = 1 + Int(seed % 3)
            $0.offsetsPerTriggerMax = seed % 4 == 0 ? 30 : nil
        }
        var peak = 0
        let outcome = simulation.scheduler.run(steps: 400_000) {
            peak = max(peak, simulation.query?.status.snapshot.memoryUsed ?? 0)
            return simulation.isCaughtUp
        }
        #expect(outcome == .conditionMet, "seed \(seed)")
        #expect(simulation.actual == simulation.expected, "seed \(seed)")
        #expect(peak > 0 && peak <= 16 << 10, "seed \(seed)")
        _ = simulation.scheduler.run(steps: 2_000)
        #expect(simulation.query?.status.snapshot.memoryUsed == 0, "seed \(seed)")
    }
}
