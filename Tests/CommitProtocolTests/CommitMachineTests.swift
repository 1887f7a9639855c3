import CommitProtocol
import StreamCore
import Testing

/// Every order of events that a small world allows: outputs and seals of two tasks, answers, failures, lost answers and
/// crashes at each step.
@Suite struct CommitMachineTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var guarantee: Guarantee
        var hasUserOutput: Bool
        var faults: Int
        var testDescription: String { "\(guarantee.rawValue), user output: \(hasUserOutput), faults: \(faults)" }
    }

    static let cases = [Guarantee.exactlyOnce, .atLeastOnce].flatMap { guarantee in
        [false, true].map { Case(guarantee: guarantee, hasUserOutput: $0, faults: guarantee == .exactlyOnce ? 5 : 2) }
    }

    @Test(arguments: cases) func everyOrderOfEventsKeepsTheInvariants(_ example: Case) {
        var seen: Set<CommitWorld> = []
        let start = CommitWorld(example.guarantee, hasUserOutput: example.hasUserOutput, faults: example.faults)
        var pending = [start]
        var doneCount = 0
        while let world = pending.popLast() {
            guard seen.insert(world).inserted else { continue }
            guard seen.count < 400_000 else {
                Issue.record("the world has grown too big to visit")
                return
            }
            if world.isDone { doneCount += 1 }
            let moves = world.moves
            // No deadlock: whatever happened, there is a way on until everything is committed.
            if moves.isEmpty, !world.isDone {
                Issue.record("stuck in \(world)")
                return
            }
            for move in moves {
                var next = world
                next.apply(move)
                if let violation = next.violation {
                    Issue.record("\(violation) after \(move) in \(world)")
                    return
                }
                pending.append(next)
            }
        }
        // The world is small, but not trivial: a change that cuts it short is a defect of this test.
        #expect(seen.count > 1_000)
        #expect(doneCount > 0)
        print("\(example.testDescription): \(seen.count) states")
    }

    @Test func anExactlyOnceEpochIsNotProducedBeforeTheOneBeforeIsCommitted() {
        var machine = CommitMachine(guarantee: .exactlyOnce, hasProgress: false)
        #expect(machine.handle(.initialized).isEmpty)
        let first = plan(1)
        #expect(machine.handle(.output(1)).isEmpty, "the first epoch of an attempt waits for its seal")
        #expect(
            machine.handle(.sealed(first, hasUserOutput: false))
                == [.begin(1), .produceQueued(1), .commit(EpochCommit(epoch: 1, positions: first.positions))])
        #expect(machine.handle(.output(2)).isEmpty)
        #expect(machine.handle(.committed(1)) == [.notifyCommitted(first), .begin(2), .produceQueued(2)])
        #expect(machine.handle(.output(2)) == [.produceQueued(2)])
    }

    @Test func anEpochWithoutOutputsCommitsItsPositions() {
        var machine = CommitMachine(guarantee: .exactlyOnce, hasProgress: false)
        _ = machine.handle(.initialized)
        let only = plan(1)
        #expect(
            machine.handle(.sealed(only, hasUserOutput: false))
                == [.begin(1), .commit(EpochCommit(epoch: 1, positions: only.positions))])
    }

    /// Its commit shows that the query is still this instance's, before anything is delivered.
    @Test func aRepeatedPlanIsLoggedAgain() {
        var machine = CommitMachine(guarantee: .exactlyOnce, hasProgress: true)
        _ = machine.handle(.initialized)
        var replayed = plan(4)
        replayed.isReplay = true
        #expect(
            machine.handle(.sealed(replayed, hasUserOutput: true))
                == [
                    .begin(4),
                    .commit(
                        EpochCommit(
                            epoch: 4, positions: replayed.positionsBefore, progress: replayed.progress(.planned))),
                ])
        #expect(machine.handle(.committed(4)) == [.deliver(4)])
        #expect(
            machine.handle(.delivered(4))
                == [
                    .begin(4),
                    .commit(
                        EpochCommit(epoch: 4, positions: replayed.positions, progress: replayed.progress(.committed))),
                ])
    }

    /// Another instance may have given the number to other records, or to the same ones at another time.
    @Test func planKnowsItsOwnProgressRecord() {
        let plan = plan(3)
        #expect(plan.isCovered(by: plan.progress(.committed)))
        #expect(!plan.isCovered(by: plan.progress(.planned)) && !plan.isCovered(by: nil))
        #expect(!plan.isCovered(by: self.plan(2).progress(.committed)))
        var other = plan.progress(.committed)
        other.ranges[0].to = 31
        #expect(!plan.isCovered(by: other))
        other = plan.progress(.committed)
        other.batchTimeMs = 1
        #expect(!plan.isCovered(by: other))
    }

    private func plan(_ epoch: Int64) -> EpochPlan {
        EpochPlan(
            kind: .data, epoch: Epoch(epoch), attempt: 0,
            ranges: [SplitRange(Split("in", 0), from: Position(epoch * 10 - 10), to: Position(epoch * 10))],
            positions: [Split("in", 0): Position(epoch * 10), Split("in", 1): 5], batchTimeMs: 0)
    }
}
