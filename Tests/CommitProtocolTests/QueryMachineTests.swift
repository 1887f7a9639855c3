import CommitProtocol
import StreamCore
import Testing

/// Every order of group, writer and stop events that a small world allows.
@Suite struct QueryMachineTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var committed: [Split: Position]
        var record: ProgressRecord?
        var hasState = false
        var rebalances = 4
        var faults = 1
        var testDescription: String { name }
    }

    static let a = QueryWorld.splits[0]
    static let b = QueryWorld.splits[1]
    static let planned = ProgressRecord(
        phase: .planned, epoch: 5, ranges: [SplitRange(a, from: 3, to: 4)],
        positions: [SplitPosition(a, 4)], batchTimeMs: 42)
    static let cases = [
        Case(name: "nothing committed", committed: [:]),
        Case(name: "one split has progress", committed: [a: 3]),
        Case(name: "both have progress", committed: [a: 3, b: 4]),
        Case(name: "a plan to repeat, and a new split", committed: [a: 3], record: planned),
        Case(name: "state, one split has progress", committed: [a: 3], hasState: true, rebalances: 3),
        Case(name: "state, a plan to repeat", committed: [a: 3], record: planned, hasState: true, rebalances: 3),
        Case(name: "many faults", committed: [b: 4], rebalances: 3, faults: 2),
    ]

    @Test(arguments: cases) func everyOrderOfEventsKeepsTheInvariants(_ example: Case) {
        var seen: Set<QueryWorld> = []
        var settling: Set<QueryWorld> = []
        var pending = [
            QueryWorld(
                committed: example.committed, record: example.record, hasState: example.hasState,
                rebalances: example.rebalances, faults: example.faults)
        ]
        var closedCount = 0
        while let world = pending.popLast() {
            guard seen.insert(world).inserted else { continue }
            guard seen.count < 400_000 else {
                Issue.record("the world has grown too big to visit")
                return
            }
            if world.machine.phase == .closed { closedCount += 1 }
            if let stuck = Self.settle(world, &settling) {
                Issue.record("stuck in \(stuck.machine.phase): \(stuck) after \(world)")
                return
            }
            for move in world.moves {
                var next = world
                next.apply(move)
                if let violation = next.violation {
                    Issue.record("\(violation) after \(move) in \(world)")
                    return
                }
                pending.append(next)
            }
        }
        #expect(seen.count > 1_000)
        #expect(closedCount > 0)
        print("\(example.name): \(seen.count) states")
    }

    /// Lets only what comes by itself happen. - Returns: where that ends, if it is no good place.
    private static func settle(_ world: QueryWorld, _ settling: inout Set<QueryWorld>) -> QueryWorld? {
        var world = world
        var steps = 0
        while settling.insert(world).inserted {
            guard let move = world.quietMoves.first else { return world.isSettled ? nil : world }
            world.apply(move)
            steps += 1
            if steps > 100 { return world }
        }
        return nil
    }

    // MARK: - Single stories

    private func started(_ committed: [Split: Position] = [:]) -> QueryMachine {
        var machine = QueryMachine(defaultStart: .latest)
        _ = machine.handle(.start)
        _ = machine.handle(.writerInitialized)
        return machine
    }

    @Test func aLateAnswerIsNotTakenForTheNextQuestions() {
        var machine = started()
        _ = machine.handle(.assigned([Self.a]))
        _ = machine.handle(.revoking([Self.a]))
        let actions = machine.handle(.assigned([Self.b]))
        #expect(actions.isEmpty, "the answer about the first split is still on its way")
        let next = machine.handle(.recovered(RecoveredProgress(positions: [Self.a: 3])))
        guard next.count == 1, case .recover(let asked) = next[0] else {
            Issue.record("\(next)")
            return
        }
        #expect(asked == [Self.b])
    }

    @Test func aSplitIsGivenBackAtOnceWhileTheWriterIsAway() {
        var machine = started()
        _ = machine.handle(.assigned([Self.a]))
        _ = machine.handle(.recovered(RecoveredProgress(positions: [Self.a: 3])))
        _ = machine.handle(
            .failed(TransactionFailure(.unavailable, StreamError("NO_BROKER", "x", recovery: .abortEpoch)), now: .zero))
        #expect(machine.phase == .recovering)
        let actions = machine.handle(.revoking([Self.a]))
        guard actions.count == 1, case .release(let splits) = actions[0] else {
            Issue.record("\(actions)")
            return
        }
        #expect(splits == [Self.a] && machine.owned.isEmpty)
    }

    @Test func aSplitThatIsRevokedWhileItIsResolvedHoldsUpNobody() {
        var machine = started()
        _ = machine.handle(.assigned([Self.a, Self.b]))
        _ = machine.handle(.recovered(RecoveredProgress(positions: [Self.a: 3])))
        #expect(machine.phase == .resolving)
        _ = machine.handle(.revoking([Self.b]))
        #expect(machine.phase == .anchoring)
    }

    @Test func startPositionsHoldOnlyOnAFirstStart() {
        func starts(_ found: [Split: Position]) -> [Split: StartPosition]? {
            var machine = started()
            _ = machine.handle(.assigned([Self.a, Self.b]))
            guard case .resolve(let starts)? = machine.handle(.recovered(RecoveredProgress(positions: found))).first
            else { return nil }
            return starts
        }
        #expect(starts([:]) == [Self.a: .latest, Self.b: .latest])
        #expect(starts([Self.a: 3]) == [Self.b: .earliest])
        #expect(starts([Self.a: 3, Self.b: 4]) == nil)
    }

    @Test func positionsThatWereMovedBehindTheProgressRecordStopTheQuery() {
        var machine = started()
        _ = machine.handle(.assigned([Self.a]))
        var record = Self.planned
        record.phase = .committed
        let found = RecoveredProgress(positions: [Self.a: 9], progress: record)
        guard case .recover([Self.a])? = machine.handle(.recovered(found)).first else {
            Issue.record("must be read again")
            return
        }
        let actions = machine.handle(.recovered(found))
        guard case .close(let error)? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(error?.code == "PROGRESS_DIFFERS")
    }

    /// Another instance committed between the two reads: this one has lost the query and will hear of it.
    @Test func progressThatMovedBetweenTwoReadsIsReadAgain() {
        var machine = started()
        _ = machine.handle(.assigned([Self.a]))
        var record = Self.planned
        record.phase = .committed
        let position = record.resumePositions[Self.a] ?? 0
        let torn = RecoveredProgress(positions: [Self.a: Position(position.number - 1)], progress: record)
        guard case .recover([Self.a])? = machine.handle(.recovered(torn)).first else {
            Issue.record("must be read again")
            return
        }
        let actions = machine.handle(.recovered(RecoveredProgress(positions: [Self.a: position], progress: record)))
        guard case .open(let positions, replay: nil)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(positions == [Self.a: position])
    }
}
