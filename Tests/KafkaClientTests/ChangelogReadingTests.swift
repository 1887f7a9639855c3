import CommitProtocol
import StreamCore
import Testing

@testable import KafkaClient

/// What a reading of changelogs decides, without any cluster.
@Suite struct ChangelogReadingTests {
    private let one = Split("log", 0)
    private let two = Split("log", 1)

    /// What an outcome says, short enough to compare.
    private func told(_ outcome: ChangelogReading.Outcome) -> [String] {
        outcome.events.map { event in
            switch event {
            case .began(let ends): "began \(ends.values.map(\.number).sorted())"
            case .records: "records"
            case .reachedEnd(let split, let position): "end \(split.partition) \(position)"
            case .stableEnds: "stable"
            case .positionLost(let split): "lost \(split.partition)"
            case .trouble(let error): "trouble \(error.code)"
            }
        }
    }

    private func bounds(_ low: Int64, _ high: Int64) -> SplitBounds {
        SplitBounds(low: Position(low), high: Position(high))
    }

    @Test func beginsWhereRecordsAre() {
        var reading = ChangelogReading([one: 3, two: 0], .toEnd)
        let outcome = reading.begin([one: bounds(0, 9), two: bounds(5, 7)])
        #expect(outcome.open == [one: 3, two: 5])
        #expect(told(outcome) == ["began [7, 9]"])
        #expect(reading.splits == [one, two])
    }

    @Test func nothingToReadIsTheEndAtOnce() {
        var reading = ChangelogReading([one: 9, two: 0], .toEnd)
        let outcome = reading.begin([one: bounds(0, 9), two: bounds(0, 0)])
        #expect(outcome.open.isEmpty && reading.splits.isEmpty)
        #expect(told(outcome) == ["began [0, 9]", "end 0 9", "end 1 0"])
    }

    @Test func followingWaitsAlsoWhereNothingIsYet() {
        var reading = ChangelogReading([one: 9], .follow)
        #expect(reading.begin([one: bounds(0, 9)]).open == [one: 9])
        #expect(told(reading.reachEnd(one, 9)) == ["end 0 9"])
        #expect(told(reading.reachEnd(one, 12)) == ["end 0 12"])
        #expect(reading.splits == [one])
    }

    @Test func behindTheEndNothingIsLeftOfWhatWasRead() {
        var reading = ChangelogReading([one: 10, two: 1], .follow)
        let outcome = reading.begin([one: bounds(0, 9), two: bounds(0, 9)])
        #expect(outcome.open == [two: 1] && told(outcome) == ["began [9, 9]", "lost 0"])
    }

    @Test func anEndBelowTheHighWatermarkIsNotTheEnd() {
        var reading = ChangelogReading([one: 0, two: 0], .toEnd)
        _ = reading.begin([one: bounds(0, 9), two: bounds(0, 4)])
        // The last stable offset: a transaction is open behind it.
        #expect(told(reading.reachEnd(one, 5)) == [])
        let outcome = reading.reachEnd(one, 9)
        #expect(told(outcome) == ["end 0 9"] && outcome.release == [one] && reading.splits == [two])
        // What came late is not told again.
        #expect(told(reading.reachEnd(one, 10)) == [])
    }

    @Test func aPartitionMayEndWithARecord() {
        var reading = ChangelogReading([one: 0, two: 0], .toEnd)
        _ = reading.begin([one: bounds(0, 9), two: bounds(0, 9)])
        let outcome = reading.advance { $0 == self.one ? 9 : 8 }
        #expect(told(outcome) == ["end 0 9"] && outcome.release == [one] && reading.splits == [two])
    }

    @Test func aRefusedPositionThatIsThereIsReadAgain() {
        var reading = ChangelogReading([one: 0], .toEnd)
        _ = reading.begin([one: bounds(0, 9)])
        #expect(reading.doubt([one, two]) == [one])
        // One question at a time.
        #expect(reading.doubt([one]).isEmpty)
        let outcome = reading.examine([one: bounds(0, 9)]) { _ in 4 }
        #expect(outcome.open == [one: 4] && told(outcome) == [])
        #expect(reading.doubt([one]) == [one])
    }

    @Test(arguments: [(5, 9), (0, 3), (0, 8)] as [(Int64, Int64)])
    func whatIsNotThereAnyMoreIsLost(_ low: Int64, _ high: Int64) {
        var reading = ChangelogReading([one: 0], .toEnd)
        _ = reading.begin([one: bounds(0, 9)])
        _ = reading.doubt([one])
        // Deleted up to 5; a topic made anew that is shorter than what was read; one that is shorter than the end was.
        let outcome = reading.examine([one: bounds(low, high)]) { _ in 4 }
        #expect(told(outcome) == ["lost 0"] && outcome.release == [one] && reading.splits.isEmpty)
    }

    @Test func anOpenTransactionIsToldWhenItLasts() {
        var reading = ChangelogReading([one: 0], .toEnd)
        _ = reading.begin([one: bounds(0, 9)])
        #expect(reading.takeStalled { _ in 3 }.isEmpty)
        _ = reading.reachEnd(one, 5)
        // The first look only notes it.
        #expect(reading.takeStalled { _ in 5 }.isEmpty)
        #expect(reading.takeStalled { _ in 5 } == [one])
        #expect(reading.takeStalled { _ in 5 }.isEmpty)
        let outcome = reading.examine([one: bounds(0, 9)]) { _ in 5 }
        #expect(told(outcome) == ["trouble CHANGELOG_WAITS"] && outcome.open.isEmpty)
        #expect(reading.takeStalled { _ in 5 } == [one])
        // It goes on.
        _ = reading.examine([one: bounds(0, 9)]) { _ in 5 }
        #expect(reading.takeStalled { _ in 6 }.isEmpty)
    }
}
