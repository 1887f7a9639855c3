import CommitProtocol
import StreamCore
import Testing

@Suite struct FailurePolicyTests {
    private func failure(
        _ kind: TransactionFailure.Kind, _ code: StreamError.Code, recovery: StreamError.Recovery = .abortEpoch
    ) -> TransactionFailure {
        TransactionFailure(kind, StreamError(code, "x", recovery: recovery))
    }

    private func pause(_ decision: FailurePolicy.Decision) -> Duration? {
        if case .rebuild(let after) = decision { return after }
        return nil
    }

    @Test func pausesDoubleUpToTheirLimitAndACommitResetsThem() {
        var policy = FailurePolicy()
        let pauses = (0..<10).map { _ in pause(policy.decide(failure(.unavailable, "NO_BROKER"), now: .zero)) }
        #expect(
            pauses == [
                .zero, .milliseconds(50), .milliseconds(100), .milliseconds(200), .milliseconds(400),
                .milliseconds(800),
                .milliseconds(1600), .milliseconds(3200), .seconds(5), .seconds(5),
            ])
        policy.committed()
        #expect(pause(policy.decide(failure(.unavailable, "NO_BROKER"), now: .zero)) == .zero)
    }

    @Test func anUnavailableBrokerNeverStopsTheQuery() {
        var policy = FailurePolicy()
        for _ in 0..<1000 { #expect(pause(policy.decide(failure(.unavailable, "NO_BROKER"), now: .zero)) != nil) }
    }

    @Test func whatOnlyAPersonCanMendIsTriedAgainSlowly() {
        var policy = FailurePolicy()
        #expect(pause(policy.decide(failure(.hopeless, "DENIED"), now: .zero)) == .seconds(1))
        for _ in 0..<20 { _ = policy.decide(failure(.hopeless, "DENIED"), now: .zero) }
        #expect(pause(policy.decide(failure(.hopeless, "DENIED"), now: .zero)) == .seconds(5))
    }

    @Test func aCauseThatLiesInTheDataStopsTheThirdTimeInARow() {
        var policy = FailurePolicy()
        let refused = failure(.abortable, "RECORD_REFUSED", recovery: .stop)
        #expect(pause(policy.decide(refused, now: .zero)) != nil)
        #expect(pause(policy.decide(failure(.abortable, "OTHER"), now: .zero)) != nil)
        #expect(pause(policy.decide(refused, now: .zero)) != nil)
        #expect(pause(policy.decide(refused, now: .zero)) != nil)
        #expect(pause(policy.decide(refused, now: .zero)) == nil)
    }

    @Test func aRecordThatIsRefusedAgainAndAgainStopsTheQuery() {
        var policy = FailurePolicy()
        var refused = failure(.abortable, "INVALID_RECORD")
        refused.refusedRecord = 7
        #expect(pause(policy.decide(refused, now: .zero)) != nil)
        #expect(pause(policy.decide(refused, now: .zero)) != nil)
        #expect(pause(policy.decide(refused, now: .zero)) == nil)
    }

    @Test func fencedByOwnIdentityThreeTimesInAMinuteStops() {
        func decide(_ seconds: [Int64]) -> [Bool] {
            var policy = FailurePolicy()
            return seconds.map { second in
                policy.committed()
                return pause(
                    policy.decide(
                        failure(.fenced, "KAFKA_PRODUCER_FENCED"),
                        now: MonotonicTime(nanoseconds: second * 1_000_000_000)))
                    != nil
            }
        }
        #expect(decide([0, 20, 40]) == [true, true, false])
        #expect(decide([0, 35, 70, 105]) == [true, true, true, true])
    }

    @Test func aGenerationThatIsOverIsNoIdentityFence() {
        var policy = FailurePolicy()
        for _ in 0..<10 { #expect(pause(policy.decide(failure(.fenced, "ILLEGAL_GENERATION"), now: .zero)) != nil) }
    }

    @Test func anExpiredTransactionHalvesTheEpochAndCommitsGrowItBack() {
        var policy = FailurePolicy()
        _ = policy.decide(failure(.expired, "EXPIRED"), now: .zero)
        _ = policy.decide(failure(.expired, "EXPIRED"), now: .zero)
        #expect(policy.halvings == 2)
        policy.committed()
        #expect(policy.halvings == 1)
        policy.committed()
        policy.committed()
        #expect(policy.halvings == 0)
    }
}
