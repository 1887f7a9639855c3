import Formats
import StreamCore
import Testing

/// Rows marked [Spark] have the value that Spark 4.3 gave for `from_json`.
@Suite struct JSONDecoderTests {
    static let golden: [(type: DataType, json: String, expected: String)] = [
        (.int32, #"{"a":1}"#, "1"),  // [Spark]
        (.int32, #"{"A":1}"#, "null"),  // [Spark]
        (.int32, #"{"a":1,"a":2}"#, "2"),  // [Spark]
        (.int32, #"{"a":1,"a":null}"#, "null"),
        (.int32, #"{"z":1}"#, "null"),  // [Spark]
        (.int32, "{}", "null"),  // [Spark]
        (.int32, " \t\r\n{ \"a\" : -7 , \"b\" : [ ] } \n", "-7"),
        (.int32, #"{"\u0061":5}"#, "5"),
        (.int8, #"{"a":-128}"#, "-128"),
        (.int16, #"{"a":32767}"#, "32767"),
        (.int32, #"{"a":-2147483648}"#, "-2147483648"),
        (.int64, #"{"a":9223372036854775807}"#, "9223372036854775807"),
        (.int64, #"{"a":-9223372036854775808}"#, "-9223372036854775808"),
        (.int64, #"{"a":-0}"#, "0"),
        (.string, #"{"a":1}"#, "'1'"),  // [Spark]
        (.string, #"{"a":{"x":1}}"#, #"'{"x":1}'"#),  // [Spark]
        (.string, #"{"a":[1,2]}"#, "'[1,2]'"),  // [Spark]
        (.string, #"{"a": [1, {"b" : 2} ] , "c":1}"#, #"'[1, {"b" : 2} ]'"#),
        (.string, #"{"a":true}"#, "'true'"),  // [Spark]
        (.string, #"{"a":1.50e3 }"#, "'1.50e3'"),
        (.string, #"{"a":""}"#, "''"),
        (.string, #"{"a":"é😀"}"#, "'é😀'"),
        (.string, #"{"a":"q\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}"#, "'q\"\\/\u{8}\u{c}\n\r\té😀'"),
        (.string, #"{"a":"\ud800x\udc00"}"#, "'\u{FFFD}x\u{FFFD}'"),
        (.boolean, #"{"a":true}"#, "true"),
        (.boolean, #"{"a":false }"#, "false"),
        (.double, #"{"a":1e2}"#, "100.0"),  // [Spark]
        (.double, #"{"a":"NaN"}"#, "nan"),  // [Spark]
        (.double, #"{"a":"-Infinity"}"#, "-inf"),
        (.double, #"{"a":1e400}"#, "inf"),
        (.double, #"{"a":-1e-400}"#, "-0.0"),
        (.double, #"{"a":0.1}"#, "0.1"),
        (.double, #"{"a":2.2250738585072011e-308}"#, "2.225073858507201e-308"),
        (.double, #"{"a":12}"#, "12.0"),
        (.float, #"{"a":0.1}"#, "0.1"),
        (.float, #"{"a":3.4028236e38}"#, "inf"),
        (.decimal(precision: 5, scale: 2), #"{"a":1.239}"#, "124e-2"),  // [Spark]
        (.decimal(precision: 5, scale: 2), #"{"a":-1.235}"#, "-124e-2"),
        (.decimal(precision: 5, scale: 2), #"{"a":1.2349999999999999999999999999999999999999}"#, "123e-2"),
        (.decimal(precision: 5, scale: 2), #"{"a":1e2}"#, "10000e-2"),
        (.decimal(precision: 5, scale: 2), #"{"a":0.004e0}"#, "0e-2"),
        (.decimal(precision: 5, scale: 2), #"{"a":"12.5"}"#, "1250e-2"),
        (
            .decimal(precision: 38, scale: 0), #"{"a":99999999999999999999999999999999999999}"#,
            "99999999999999999999999999999999999999e-0"
        ),
        (.date, #"{"a":"2024-01-02"}"#, "19724"),  // [Spark]; 2024-01-02
        (.date, #"{"a":"1969-12-31"}"#, "-1"),
        (.date, #"{"a":"2000-02-29T10:00"}"#, "11016"),
        (.timestamp, #"{"a":"2024-01-02T03:04:05Z"}"#, "1704164645000000"),  // [Spark]
        (.timestamp, #"{"a":"2024-01-02 03:04:05"}"#, "1704164645000000"),  // [Spark]
        (.timestamp, #"{"a":1704164645}"#, "1704164645000000"),  // [Spark]
        (.timestamp, #"{"a":"2024-01-02T03:04:05.123Z"}"#, "1704164645123000"),
        (.timestamp, #"{"a":"2024-01-02T03:04:05.123456789+01:30"}"#, "1704159245123456"),
        (.timestamp, #"{"a":"2024-01-02T03:04:05-0100"}"#, "1704168245000000"),
        (.timestamp, #"{"a":"2024-01-02"}"#, "1704153600000000"),
        (.timestamp, #"{"a":"1969-12-31T23:59:59.999999Z"}"#, "-1"),
        (.yearMonthInterval, #"{"a":"INTERVAL '-1-2' YEAR TO MONTH"}"#, "-14"),
        (.yearMonthInterval, #"{"a":"INTERVAL '3' MONTH"}"#, "3"),
        (.dayTimeInterval, #"{"a":"INTERVAL '1' DAY"}"#, "86400000000"),
        (.dayTimeInterval, #"{"a":"INTERVAL '-1 01:01:01.5' DAY TO SECOND"}"#, "-90061500000"),
        (.dayTimeInterval, #"{"a":"INTERVAL '-106751991 04:00:54.775808' DAY TO SECOND"}"#, "-9223372036854775808"),
        (.binary, #"{"a":"AQI="}"#, "[1, 2]"),
        (.binary, #"{"a":"AQID"}"#, "[1, 2, 3]"),
        (.binary, #"{"a":"\u0041Q=="}"#, "[1]"),
        (.array(.int32), #"{"a":[1,null,3]}"#, "[1, null, 3]"),
        (.array(.int32), #"{"a":[]}"#, "[]"),
        (.array(.int32), #"{"a":[1],"a":[2,3]}"#, "[2, 3]"),
        (.array(.array(.string)), #"{"a":[["x"],[],null,["y","z\n"]]}"#, "[['x'], [], null, ['y', 'z\n']]"),
        (.map(.string, .int32), #"{"a":{"x":1,"y":2}}"#, "{'x': 1, 'y': 2}"),  // [Spark]
        (.map(.string, .int32), #"{"a":{"x":1,"y":null,"x":3}}"#, "{'x': 3, 'y': null}"),
        (.map(.string, .int32), #"{"a":{"x":1,"\u0078":2}}"#, "{'x': 2}"),
        (.map(.string, .int32), #"{"a":{"":1}}"#, "{'': 1}"),
        (.structure(Schema([Field("b", .int32), Field("c", .string)])), #"{"a":{"c":"x","b":1,"d":{}}}"#, "(1, 'x')"),
        (
            .structure(Schema([Field("b", .int32), Field("c", .string)])), #"{"a":{"b":1},"a":{"c":"x"}}"#,
            "(null, 'x')"
        ),
        (.structure(Schema([Field("b", .int32)])), #"{"a":{"b":1},"a":null}"#, "null"),
        (
            .structure(Schema([Field("b", .array(.structure(Schema([Field("c", .int32)]))))])),
            #"{"a":{"b":[{"c":1},{},null]}}"#, "([(1), (null), null])"
        ),
        (.null, #"{"a":null}"#, "null"),
    ]

    @Test(arguments: golden.indices) func decodes(_ index: Int) throws {
        let row = Self.golden[index]
        let decoder = try JSONDecoder(schema: Schema([Field("a", row.type)]))
        // Twice: a decoder is reused, and a neighbour must not show through.
        for _ in 0..<2 {
            let (batch, faults) = decoder.decode(block(["{}", row.json, nil, row.json]))
            #expect(faults.isEmpty, "\(row.json)")
            #expect(show(batch.columns[0], 0) == "null")
            #expect(show(batch.columns[0], 1) == row.expected, "\(row.json)")
            #expect(show(batch.columns[0], 2) == "null")
            #expect(show(batch.columns[0], 3) == row.expected, "\(row.json)")
        }
    }

    @Test func plainStringsShareTheBlock() throws {
        let decoder = try JSONDecoder(schema: Schema([Field("a", .string), Field("b", .string)]))
        let source = block([#"{"a":"one","b":"x"}"#, #"{"a":"two","b":"y\n"}"#, #"{"a":"","b":""}"#, nil])
        let size = source.arena.count
        let batch = decoder.decode(source).batch
        guard case .string(let a) = batch.columns[0], case .string(let b) = batch.columns[1] else {
            Issue.record("two columns of strings")
            return
        }
        #expect(a.arena === source.arena)
        #expect(b.arena !== source.arena)
        #expect(show(batch, 0) == "'one' | 'x'")
        #expect(show(batch, 1) == "'two' | 'y\n'")
        #expect(source.arena.count == size)
        #expect(show(batch, 2) == "'' | ''")
        #expect(a.views[3] == .empty && b.views[3] == .empty)
    }

    @Test func manyFieldsAreFoundByName() throws {
        let names =
            (0..<200).map { "field_name_\($0)" } + [
                "a", "ab", "abcdefgh", "abcdefghi", String(repeating: "n", count: 90),
            ]
        let decoder = try JSONDecoder(schema: Schema(names.map { Field($0, .int32) }))
        let members = names.enumerated().map { "\"\($1)\":\($0)" }
        let document = "{\"field_name_\":-1,\"field_name_2000\":-1," + members.reversed().joined(separator: ",") + "}"
        let (batch, faults) = decoder.decode(block([document]))
        #expect(faults.isEmpty)
        #expect(batch.columns.map { show($0, 0) } == names.indices.map { "\($0)" })
    }

    @Test func aMapOfManyKeysKeepsTheLastOfEach() throws {
        let decoder = try JSONDecoder(schema: Schema([Field("a", .map(.string, .int32))]))
        let members = (0..<3000).map { "\"k\($0 % 1000)\":\($0)" }
        let (batch, faults) = decoder.decode(block(["{\"a\":{" + members.joined(separator: ",") + "}}"]))
        #expect(faults.isEmpty)
        let expected = (0..<1000).map { "'k\($0)': \($0 + 2000)" }.joined(separator: ", ")
        #expect(show(batch.columns[0], 0) == "{\(expected)}")
    }

    @Test func onlyTheRowsAskedForAreDecoded() throws {
        let decoder = try JSONDecoder(schema: Schema([Field("a", .int32)]))
        let source = block([#"{"a":0}"#, "bad", #"{"a":2}"#, "bad"])
        let (batch, faults) = decoder.decode(source, rows: [0, 2])
        #expect(faults.isEmpty)
        #expect(batch.selection == [0, 2])
        #expect(show(batch.columns[0], 2) == "2")
        let none = decoder.decode(source, rows: [])
        #expect(none.faults.isEmpty && none.batch.count == 4 && none.batch.selectedCount == 0)
        #expect(decoder.decode(block([])).batch.count == 0)
    }

    @Test func aDocumentOfAMegabyte() throws {
        let decoder = try JSONDecoder(schema: Schema([Field("a", .array(.int32)), Field("z", .string)]))
        let list = (0..<100_000).map { "\($0)" }.joined(separator: ",")
        let text = String(repeating: "x", count: 1_000_000)
        let (batch, faults) = decoder.decode(block(["{}", "{\"a\":[\(list)],\"z\":\"\(text)\"}", "{}"]))
        #expect(faults.isEmpty)
        guard case .array(let array) = batch.columns[0], case .string(let texts) = batch.columns[1] else { return }
        #expect(array.lengths == [0, 100_000, 0])
        #expect(show(array.elements, 99_999) == "99999")
        #expect(texts.views[1].length == 1_000_000)
    }

    @Test func refusesWhatJSONHasNot() {
        #expect(throws: StreamError("UNSUPPORTED_TYPE", "")) {
            try JSONDecoder(schema: Schema([Field("m", .map(.int32, .string))]))
        }
        #expect(throws: StreamError("UNSUPPORTED_TYPE", "")) {
            try JSONDecoder(schema: Schema([Field("i", .calendarInterval)]))
        }
    }
}
