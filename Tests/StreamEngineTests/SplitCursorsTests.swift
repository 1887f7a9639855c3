import StreamCore
import Testing

@testable import StreamEngine

@Suite struct SplitCursorsTests {
    private static let a = Split("in", 0)
    private static let b = Split("in", 1)

    private func block(_ offsets: [(Int32, Int64)]) -> RecordBlock {
        let block = RecordBlock(topics: ["in"])
        for (partition, offset) in offsets {
            block.slots.append(
                RecordSlot(value: block.arena.append("\(partition)-\(offset)"), offset: offset, partition: partition))
        }
        return block
    }

    private func offsets(_ block: RecordBlock?) -> [Int64] { block?.slots.map(\.offset) ?? [] }

    struct Case: Sendable {
        var name: String
        var limit: Position?
        var offsets: [Int64]
        var accepted: [Int64]
        var later: [Int64]
        var stale: Int
        var next: Position
    }
    static let cases = [
        Case(name: "all", offsets: [5, 6], accepted: [5, 6], later: [], stale: 0, next: 7),
        Case(name: "behind the position", offsets: [3, 4, 5], accepted: [5], later: [], stale: 2, next: 6),
        Case(name: "a gap of markers", offsets: [5, 9], accepted: [5, 9], later: [], stale: 0, next: 10),
        Case(name: "a limit", limit: 6, offsets: [5, 6, 7], accepted: [5], later: [6, 7], stale: 0, next: 6),
        Case(name: "markers up to the limit", limit: 8, offsets: [5, 9], accepted: [5], later: [9], stale: 0, next: 8),
        Case(
            name: "the largest offset", offsets: [.max - 1], accepted: [.max - 1], later: [], stale: 0,
            next: Position(.max)),
    ]

    @Test(arguments: cases) func admits(_ example: Case) {
        var cursors = SplitCursors()
        cursors.open([Self.a: 5])
        cursors.setLimit(example.limit, of: Self.a)
        let admission = cursors.admit(block(example.offsets.map { (0, $0) }))
        #expect(offsets(admission.accepted) == example.accepted, "\(example.name)")
        #expect(offsets(admission.later) == example.later, "\(example.name)")
        #expect(admission.staleCount == example.stale && cursors.positions == [Self.a: example.next], "\(example.name)")
    }

    @Test func copiesNothingWhenAllIsAccepted() {
        var cursors = SplitCursors()
        cursors.open([Self.a: 0, Self.b: 0])
        let whole = block([(0, 0), (1, 0), (0, 1)])
        #expect(cursors.admit(whole).accepted === whole)
        #expect(cursors.ranges.map(\.length).sorted() == [1, 2])
    }

    @Test func refusesSplitsThatAreNotOurs() {
        var cursors = SplitCursors()
        cursors.open([Self.a: 0])
        let admission = cursors.admit(block([(1, 0), (0, 0)]))
        #expect(admission.accepted?.count == 1 && admission.staleCount == 1)
    }

    @Test func endsMoveForwardOnlyAndNotPastALimit() {
        var cursors = SplitCursors()
        cursors.open([Self.a: 5])
        cursors.reachedEnd(Self.a, 3)
        #expect(cursors[Self.a]?.next == 5)
        cursors.setLimit(8, of: Self.a)
        cursors.reachedEnd(Self.a, 9)
        #expect(cursors[Self.a]?.next == 8 && cursors.areLimitsReached)
        cursors.reachedEnd(Self.b, 9)
        #expect(cursors[Self.b] == nil)
    }

    /// A repeated plan ends before the marker of its last transaction, say.
    @Test func endsBehindALimitCountWhenItIsLifted() {
        var cursors = SplitCursors()
        cursors.open([Self.a: 5])
        cursors.setLimit(8, of: Self.a)
        #expect(cursors.admit(block([(0, 7), (0, 8)])).later?.count == 1)
        cursors.reachedEnd(Self.a, 10)
        cursors.epochCut()
        cursors.clearLimits()
        // Not before the record that waits: it would be taken for a stale one.
        #expect(cursors[Self.a]?.next == 8)
        #expect(cursors.admit(block([(0, 8)])).accepted?.count == 1)
        cursors.resumeEnds()
        #expect(cursors.ranges == [SplitRange(Self.a, from: 8, to: 10)])

        cursors.setLimit(11, of: Self.a)
        cursors.reachedEnd(Self.a, 13)
        cursors.setLimit(12, of: Self.a)
        cursors.resumeEnds()
        #expect(cursors[Self.a]?.next == 12)
        cursors.clearLimits()
        cursors.resumeEnds()
        #expect(cursors[Self.a]?.next == 13)
    }

    @Test func skippingGoesBackWhereTheTopicWasMadeAnew() {
        var cursors = SplitCursors()
        cursors.open([Self.a: 50])
        cursors.skip(Self.a, to: 0)
        #expect(cursors.positions == [Self.a: 0] && !cursors.hasMoved)
        cursors.skip(Self.a, to: 20)
        #expect(cursors.ranges == [SplitRange(Self.a, from: 0, to: 20)])
    }
}

@Suite struct TriggerSharesTests {
    private static func positions(_ numbers: [Int64]) -> [Split: Position] {
        var result: [Split: Position] = [:]
        for (index, number) in numbers.enumerated() {
            result[Split("in", PartitionID(Int32(index)))] = Position(number)
        }
        return result
    }

    @Test(
        arguments: [
            // Spark's rule: 10 of backlogs 100, 10 and 1 is 9.009, 0.9009 and 0.09: rounded down, but up to one below
            // one.
            ([100, 10, 1], 10, [9, 1, 1]),
            ([100, 0, 1], 10, [9, 0, 1]),
            ([4, 3, 2], 10, [4, 3, 2]),
            ([50, 50], 10, [5, 5]),
            ([.max, .max], 10, [5, 5]),
        ] as [([Int64], Int64, [Int64])])
    func followSparksRule(backlogs: [Int64], cap: Int64, shares: [Int64]) {
        let starts = Self.positions(backlogs.map { _ in 0 })
        #expect(Driver.shares(of: cap, starts, ends: Self.positions(backlogs)) == Self.positions(shares))
    }

    @Test func whatIsLeftUnderTheCapIsSharedEvenlyWhereTheRunHasNoEnd() {
        let shares = Driver.shares(
            of: 10, Self.positions([7, 0]), ends: Self.positions([9, 2]), stopsAtEnds: false)
        #expect(shares == Self.positions([12, 5]))
    }
}
