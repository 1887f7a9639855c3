import Formats
import StreamCore
import Testing

/// Rows marked [Spark] are what Spark 4.3 gave for `to_json`.
@Suite struct JSONEncoderTests {
    static let golden: [(column: Column, expected: String)] = [
        (.int32(FixedColumn([1])), #"{"a":1}"#),  // [Spark]
        (.int32(FixedColumn([nil], default: 0)), "{}"),  // [Spark]: null fields are left out
        (.null(1), "{}"),
        (.int8(FixedColumn([-128])), #"{"a":-128}"#),
        (.int64(FixedColumn([.min])), #"{"a":-9223372036854775808}"#),
        (.int64(FixedColumn([.max])), #"{"a":9223372036854775807}"#),
        (.boolean(FixedColumn([true])), #"{"a":true}"#),
        (.boolean(FixedColumn([false])), #"{"a":false}"#),
        (.timestamp(FixedColumn([1_704_164_645_123_456])), #"{"a":"2024-01-02T03:04:05.123Z"}"#),  // [Spark]
        (.timestamp(FixedColumn([-1])), #"{"a":"1969-12-31T23:59:59.999Z"}"#),
        (.timestamp(FixedColumn([.min])), #"{"a":"-290308-12-21T19:59:05.224Z"}"#),
        (.date(FixedColumn([19724])), #"{"a":"2024-01-02"}"#),  // [Spark]
        (.date(FixedColumn([-719529])), #"{"a":"-0001-12-31"}"#),
        (.date(FixedColumn([2_932_897])), #"{"a":"+10000-01-01"}"#),
        (.double(FixedColumn([.nan])), #"{"a":"NaN"}"#),  // [Spark]
        (.double(FixedColumn([-.infinity])), #"{"a":"-Infinity"}"#),
        (.double(FixedColumn([1e20])), #"{"a":1.0E20}"#),  // [Spark]
        (.float(FixedColumn([0.1])), #"{"a":0.1}"#),  // [Spark]
        (.double(FixedColumn([1e7])), #"{"a":1.0E7}"#),
        (.double(FixedColumn([9_999_999])), #"{"a":9999999.0}"#),
        (.double(FixedColumn([1234567.125])), #"{"a":1234567.125}"#),
        (.double(FixedColumn([12_345_678.5])), #"{"a":1.23456785E7}"#),
        (.double(FixedColumn([0.001])), #"{"a":0.001}"#),
        (.double(FixedColumn([0.00012])), #"{"a":1.2E-4}"#),
        (.double(FixedColumn([-0.0])), #"{"a":-0.0}"#),
        (.double(FixedColumn([100])), #"{"a":100.0}"#),
        (.double(FixedColumn([.leastNormalMagnitude])), #"{"a":2.2250738585072014E-308}"#),
        (.double(FixedColumn([.greatestFiniteMagnitude])), #"{"a":1.7976931348623157E308}"#),
        (.float(FixedColumn([16_777_216])), #"{"a":1.6777216E7}"#),
        (.decimal(DecimalColumn(FixedColumn([110]), precision: 3, scale: 2)), #"{"a":1.10}"#),  // [Spark]
        (.decimal(DecimalColumn(FixedColumn([-5]), precision: 3, scale: 3)), #"{"a":-0.005}"#),
        (.decimal(DecimalColumn(FixedColumn([0]), precision: 5, scale: 2)), #"{"a":0.00}"#),
        (.decimal(DecimalColumn(FixedColumn([42]), precision: 5, scale: 0)), #"{"a":42}"#),
        (.binary(BytesColumn([[1, 2]])), #"{"a":"AQI="}"#),  // [Spark]
        (.binary(BytesColumn([[1]])), #"{"a":"AQ=="}"#),
        (.binary(BytesColumn([[0xFB, 0xFF, 0xBF]])), #"{"a":"+/+/"}"#),
        (.string(BytesColumn(["q\"\n"])), #"{"a":"q\"\n"}"#),  // [Spark]
        (
            .string(BytesColumn(["\u{1}\u{1f}\u{8}\u{c}\r\t\\/\u{7f}é😀"])),
            "{\"a\":\"\\u0001\\u001F\\b\\f\\r\\t\\\\/\u{7f}é😀\"}"
        ),
        (.string(BytesColumn([""])), #"{"a":""}"#),
        (.dayTimeInterval(FixedColumn([-90_061_500_000])), #"{"a":"INTERVAL '-1 01:01:01.5' DAY TO SECOND"}"#),
        (.yearMonthInterval(FixedColumn([14])), #"{"a":"INTERVAL '1-2' YEAR TO MONTH"}"#),
        (
            .array(ArrayColumn(elements: .int32(FixedColumn([1, nil], default: 0)), starts: [0], lengths: [2])),
            #"{"a":[1,null]}"#  // [Spark]
        ),
        (
            .map(
                MapColumn(
                    keys: .string(BytesColumn(["a", "b\""])), values: .int32(FixedColumn([1, nil], default: 0)),
                    starts: [0],
                    lengths: [2])), #"{"a":{"a":1,"b\"":null}}"#  // [Spark], but for the quote
        ),
        (
            .map(
                MapColumn(
                    keys: .int32(FixedColumn([1])), values: .string(BytesColumn(["x"])), starts: [0], lengths: [1])),
            #"{"a":{"1":"x"}}"#  // [Spark]
        ),
        (
            .structure(
                StructColumn(
                    schema: Schema([Field("x", .int32), Field("y", .string)]),
                    columns: [.int32(FixedColumn([nil], default: 0)), .string(BytesColumn(["z"]))], count: 1)),
            #"{"a":{"y":"z"}}"#
        ),
    ]

    @Test(arguments: golden.indices) func encodes(_ index: Int) throws {
        let (column, expected) = Self.golden[index]
        let schema = Schema([Field("a", column.type)])
        let arena = ByteArena(Array("before".utf8))
        // The row twice, selected as a gathered column would be.
        let batch = RecordBatch(schema: schema, columns: [column.gathered([0, 0, 0])], count: 3, selection: [0, 2])
        let views = try JSONEncoder(schema: schema).encode(batch, into: arena)
        #expect(views.map { arena.string($0) } == [expected, expected])
        #expect(arena.string(ByteView(start: 0, length: 6)) == "before")
    }

    @Test func leavesOutNullsWhereverTheyStand() throws {
        let schema = Schema([Field("a", .int32), Field("b\"", .string), Field("c", .int32)])
        let batch = RecordBatch(
            schema: schema,
            columns: [
                .int32(FixedColumn([1, nil, nil, 4], default: 0)), .string(BytesColumn(["x", "y", nil, nil])),
                .int32(FixedColumn([nil, 2, nil, 4], default: 0)),
            ], count: 4)
        let arena = ByteArena()
        let texts = try JSONEncoder(schema: schema).encode(batch, into: arena).map { arena.string($0) }
        #expect(texts == [#"{"a":1,"b\"":"x"}"#, #"{"b\"":"y","c":2}"#, "{}", #"{"a":4,"c":4}"#])
    }

    /// The text to write lies in the arena that is written to, which moves while it grows.
    @Test func mayWriteWhereTheColumnsLie() throws {
        let arena = ByteArena()
        let views = (0..<2000).map { arena.append("value number \($0) that is longer than a block of 32 bytes") }
        let schema = Schema([Field("a", .string)])
        let batch = RecordBatch(
            schema: schema, columns: [.string(BytesColumn(arena: arena, views: views))], count: 2000)
        let encoded = try JSONEncoder(schema: schema).encode(batch, into: arena)
        #expect(arena.string(encoded[1999]) == #"{"a":"value number 1999 that is longer than a block of 32 bytes"}"#)
        #expect(arena.string(encoded[0]) == #"{"a":"value number 0 that is longer than a block of 32 bytes"}"#)
    }

    @Test func emptyBatchesAndNoColumns() throws {
        let arena = ByteArena()
        let none = Schema([])
        #expect(
            try JSONEncoder(schema: none).encode(RecordBatch(schema: none, columns: [], count: 0), into: arena).isEmpty)
        let two = try JSONEncoder(schema: none).encode(RecordBatch(schema: none, columns: [], count: 2), into: arena)
        #expect(two.map { arena.string($0) } == ["{}", "{}"])
        #expect(throws: StreamError("UNSUPPORTED_TYPE", "")) {
            try JSONEncoder(schema: Schema([Field("m", .map(.array(.int32), .int32))]))
        }
    }
}
