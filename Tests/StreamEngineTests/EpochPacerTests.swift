import StreamCore
import Testing

@testable import StreamEngine

@Suite struct EpochPacerTests {
    private static let pacer = EpochPacer(latencyTarget: .milliseconds(20), isExactlyOnce: true)

    @Test func aSlowSinkLimitsWhatTheNextEpochsHold() {
        var pacer = Self.pacer
        #expect(pacer.bytesMax(waitingFor: nil) == nil)
        pacer.epochCommitted(bytes: 100_000, took: .milliseconds(900))
        #expect(pacer.bytesMax(waitingFor: nil) == nil, "below a second is no reason")
        // 4,000,000 bytes took 4 s, so that half a second takes 500,000.
        pacer.epochCommitted(bytes: 4_000_000, took: .seconds(4))
        #expect(pacer.bytesMax(waitingFor: nil) == 500_000)
        #expect(pacer.bytesMax(waitingFor: 100) == 500_000)
        pacer.epochCommitted(bytes: 500_000, took: .seconds(2))
        #expect(pacer.bytesMax(waitingFor: nil) == 125_000)
    }

    @Test func theLimitGrowsAgainWhileItIsReached() {
        var pacer = Self.pacer
        pacer.epochCommitted(bytes: 1_000_000, took: .seconds(5))
        #expect(pacer.bytesMax(waitingFor: nil) == 100_000)
        pacer.epochCommitted(bytes: 99_999, took: .milliseconds(5))
        #expect(pacer.bytesMax(waitingFor: nil) == 100_000, "the input was shorter than the limit, which says nothing")
        pacer.epochCommitted(bytes: 100_000, took: .milliseconds(50))
        #expect(pacer.bytesMax(waitingFor: nil) == 200_000)
        for _ in 0..<70 { pacer.epochCommitted(bytes: .max, took: .milliseconds(50)) }
        #expect(pacer.bytesMax(waitingFor: nil) == nil, "the sink is fast again")
    }

    @Test func anEpochThatWaitsGrowsToFourTimesTheOneBefore() {
        let megabyte = 1 << 20
        #expect(Self.pacer.bytesMax(waitingFor: 0) == 8 * megabyte, "a burst behind a small epoch goes on")
        #expect(Self.pacer.bytesMax(waitingFor: 10 * megabyte) == 40 * megabyte)
        #expect(Self.pacer.bytesMax(waitingFor: .max) == .max)
    }

    @Test func anOutageLeavesNoTinyLimit() {
        var pacer = Self.pacer
        pacer.epochCommitted(bytes: 3, took: .seconds(60))
        #expect(pacer.bytesMax(waitingFor: nil) == 65_536)
    }

    @Test func epochsAreShortWhenTheInputRunsDryAndGrowUnderLoad() {
        var pacer = EpochPacer(latencyTarget: .milliseconds(20), isExactlyOnce: true)
        func wait(_ ranDry: Bool) -> Duration {
            pacer.cutTime(openedAt: .zero, ranDry: ranDry, committedAt: .zero) - .zero
        }
        #expect(wait(true) == .zero && wait(false) == .milliseconds(10))
        var intervals: [Duration] = []
        for _ in 0..<6 {
            pacer.epochCut(ranDry: false)
            intervals.append(wait(false))
        }
        #expect(intervals == [20, 40, 80, 160, 200, 200].map { Duration.milliseconds($0) })
        pacer.epochCut(ranDry: true)
        #expect(wait(false) == .milliseconds(10))
    }

    @Test func atLeastOnceCutsOnATimer() {
        let pacer = EpochPacer(latencyTarget: .milliseconds(20), isExactlyOnce: false)
        #expect(pacer.cutTime(openedAt: .zero, ranDry: true, committedAt: .zero) - .zero == .milliseconds(100))
    }

    @Test func anEpochIsNotCutWhileTheWriterRests() {
        let pacer = EpochPacer(latencyTarget: .milliseconds(20), isExactlyOnce: true, commitPause: .milliseconds(5))
        let committed = MonotonicTime.zero + .milliseconds(3)
        #expect(pacer.cutTime(openedAt: .zero, ranDry: true, committedAt: committed) - .zero == .milliseconds(8))
        let later = MonotonicTime.zero + .milliseconds(50)
        #expect(pacer.cutTime(openedAt: later, ranDry: true, committedAt: committed) == later)
    }

    /// The next epoch is computed when the writer's rest is over, not only cut then.
    @Test func theCutComesBeforeTheWriterNeedsTheEpoch() {
        var pacer = EpochPacer(latencyTarget: .milliseconds(20), isExactlyOnce: true, commitPause: .milliseconds(5))
        func cut() -> Duration { pacer.cutTime(openedAt: .zero, ranDry: true, committedAt: .zero) - .zero }
        pacer.epochSealed(took: .milliseconds(8))
        #expect(cut() == .milliseconds(4), "an eighth of the newest: 1 of 8 ms")
        for _ in 0..<100 { pacer.epochSealed(took: .milliseconds(2)) }
        #expect(cut() > .milliseconds(2) && cut() < .microseconds(3010))
        for _ in 0..<100 { pacer.epochSealed(took: .seconds(1)) }
        #expect(cut() == .zero, "never before the commit")
    }

    @Test func smallBlocksAreGathered() {
        let pacer = EpochPacer(latencyTarget: .milliseconds(20), isExactlyOnce: true)
        #expect(pacer.gatherTime(bytes: 200, readAt: .zero).map { $0 - .zero } == .milliseconds(4))
        #expect(pacer.gatherTime(bytes: 64 << 10, readAt: .zero) == nil)
        let quick = EpochPacer(latencyTarget: .milliseconds(4), isExactlyOnce: true)
        #expect(quick.gatherTime(bytes: 200, readAt: .zero).map { $0 - .zero } == .milliseconds(1))
        let atLeastOnce = EpochPacer(latencyTarget: .milliseconds(20), isExactlyOnce: false)
        #expect(atLeastOnce.gatherTime(bytes: 200, readAt: .zero) == nil, "its outputs are written at once")
    }
}
