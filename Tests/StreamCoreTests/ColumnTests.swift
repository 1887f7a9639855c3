import StreamCore
import Testing

@Suite struct BitmapTests {
    @Test(arguments: [0, 1, 63, 64, 65, 130]) func countsItsBitsAndClearsTheTail(count: Int) {
        #expect(Bitmap(count: count, repeating: true).setCount == count)
        let words = [UInt64](repeating: ~0, count: (count + 63) / 64)
        #expect(Bitmap(count: count, words: words) == Bitmap(count: count, repeating: true))
        var grown = Bitmap(count: 0)
        for index in 0..<count { grown.append(index % 3 == 0) }
        #expect(grown.count == count && grown.setCount == (count + 2) / 3)
        #expect((0..<count).allSatisfy { grown[$0] == ($0 % 3 == 0) })
    }

    @Test func unionsAndGathers() {
        var a = Bitmap(count: 70)
        var b = Bitmap(count: 70)
        a[3] = true
        b[69] = true
        #expect(Bitmap.union(nil, nil) == nil && Bitmap.union(a, nil) == a && Bitmap.union(nil, b) == b)
        let both = Bitmap.union(a, b)
        #expect(both?.setCount == 2 && both?[3] == true && both?[69] == true)
        #expect(a.gathered([0, 1]) == nil, "no null row, no bitmap")
        #expect(a.gathered([3, 0, 3])?.setCount == 2)
    }
}

@Suite struct ByteArenaTests {
    @Test func keepsWhatWasAppendedWhileItGrows() {
        let arena = ByteArena()
        let views = (0..<1000).map { arena.append("text \($0)") }
        #expect((0..<1000).allSatisfy { arena.string(views[$0]) == "text \($0)" })
        #expect(arena.byteSize >= arena.count + ByteArena.padding)
    }

    @Test func copiesWithinItself() {
        let arena = ByteArena()
        var view = arena.append("0123456789abcdef")
        // Each copy may move the bytes; 2^12 of them do so several times.
        for _ in 0..<4096 { view = arena.append(view, from: arena) }
        #expect(arena.string(view) == "0123456789abcdef")
        #expect(arena.append(.null, from: arena).isNull)
    }

    @Test func nullIsNotEmpty() {
        #expect(ByteView.null.isNull && !ByteView.empty.isNull && ByteView.null != ByteView.empty)
        let arena = ByteArena()
        #expect(!arena.append("").isNull)
    }

    @Test func truncatesWhatAnEncoderUndoes() {
        let arena = ByteArena()
        let kept = arena.append("kept")
        let mark = arena.count
        arena.append("dropped")
        arena.truncate(to: mark)
        arena.append("!")
        #expect(arena.string(kept) == "kept" && arena.count == 5)
    }
}

@Suite struct RecordHeadersTests {
    static let cases: [[RecordHeader]] = [
        [],
        [RecordHeader("a", [1, 2])],
        [RecordHeader("a", nil), RecordHeader("a", []), RecordHeader("", Array("ü".utf8))],
        (0..<100).map { RecordHeader("name-\($0)", [UInt8](repeating: UInt8($0), count: $0)) },
    ]

    @Test(arguments: cases) func surviveTheRoundTrip(headers: [RecordHeader]) {
        let block = RecordBlock(topics: ["t"])
        block.slots.append(
            RecordSlot(value: block.arena.append("v"), headers: RecordHeaders.encode(headers, into: block.arena)))
        #expect(block.headers(0) == headers)
    }
}

@Suite struct GatheredColumnTests {
    /// Rows 2, 0, 2 of each kind of column, read back as text.
    @Test func takesRowsInOrderAndTwice() {
        let rows: [Int32] = [2, 0, 2]
        let numbers = FixedColumn<Int64>([10, nil, 30], default: 0)
        guard case .int64(let gathered) = Column.int64(numbers).gathered(rows) else {
            Issue.record("another type")
            return
        }
        #expect((0..<3).map { gathered[$0] } == [30, 10, 30] && gathered.nulls == nil)
        guard case .string(let texts) = Column.string(BytesColumn(["x", "y", nil])).gathered(rows) else {
            Issue.record("another type")
            return
        }
        #expect((0..<3).map { texts.string($0) } == [nil, "x", nil])
        #expect(Column.null(3).gathered(rows).count == 3)
    }

    @Test func takesNestedRows() {
        let lists = ArrayColumn(elements: .int64(FixedColumn([1, 2, 3, 4])), starts: [0, 1, 1], lengths: [1, 0, 3])
        guard case .array(let gathered) = Column.array(lists).gathered([2, 1]) else {
            Issue.record("another type")
            return
        }
        #expect(gathered.range(0) == 1..<4 && gathered.range(1).isEmpty)
        let schema = Schema([Field("a", .int64)])
        let structure = StructColumn(schema: schema, columns: [.int64(FixedColumn([7, 8, 9]))], count: 3)
        guard case .structure(let taken) = Column.structure(structure).gathered([2, 2]),
            case .int64(let values) = taken.columns[0]
        else {
            Issue.record("another type")
            return
        }
        #expect(taken.count == 2 && values.values == [9, 9])
    }
}

@Suite struct TimeTests {
    @Test func durationsAndInstantsStopAtTheirEnds() {
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
        #expect(Duration.seconds(-Int64.max).nanoseconds == .min)
        #expect(Duration.milliseconds(1500).nanoseconds == 1_500_000_000)
        #expect(MonotonicTime.distantFuture + .seconds(1) == .distantFuture)
        #expect(MonotonicTime(nanoseconds: 5) + .nanoseconds(7) == MonotonicTime(nanoseconds: 12))
    }

    @Test func positionsCountForwardOnly() {
        #expect(Position(3).distance(to: 10) == 7)
        #expect(Position(10).distance(to: 3) == 0)
        #expect(Offset(9).next == Position(10))
    }

    @Test func stableRandomIsStable() {
        // Steele et al., SplitMix64 with seed 0: the reference implementation's first outputs.
        var random = StableRandom(seed: 0)
        #expect(random.next() == 0xE220_A839_7B1D_CDAF)
        #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
    }
}
