import Formats
import StreamCore
import Testing

@Suite struct JSONFaultTests {
    static let item = DataType.structure(Schema([Field("sku", .string), Field("qty", .int32)]))

    /// Documents that are wrong whatever is read of them.
    static let broken: [(json: String, code: String)] = [
        ("", "TRUNCATED"), ("  ", "TRUNCATED"), ("{", "TRUNCATED"), (#"{"a""#, "TRUNCATED"), (#"{"a":"#, "TRUNCATED"),
        (#"{"a":1"#, "TRUNCATED"), (#"{"a":1,"#, "TRUNCATED"), (#"{"a":"x"#, "TRUNCATED"), (#"{"a":tru"#, "TRUNCATED"),
        (#"{"a":1,"unread":{"b":[1,2"#, "TRUNCATED"), (#"{"a":1,"unread":"x"#, "TRUNCATED"),
        (#"{"a":1,"unread":-"#, "TRUNCATED"),
        (#"{"a":1} x"#, "MALFORMED_JSON"), (#"{"a":1}{}"#, "MALFORMED_JSON"), (#"{"a":1}}"#, "MALFORMED_JSON"),
        ("bad", "MALFORMED_JSON"), (#"{'a':1}"#, "MALFORMED_JSON"), ("{a:1}", "MALFORMED_JSON"),
        (#"{"a":01}"#, "MALFORMED_JSON"), (#"{"a":1.}"#, "MALFORMED_JSON"), (#"{"a":.5}"#, "MALFORMED_JSON"),
        (#"{"a":+1}"#, "MALFORMED_JSON"), (#"{"a":1e}"#, "MALFORMED_JSON"), (#"{"a":- 1}"#, "MALFORMED_JSON"),
        (#"{"a":NaN}"#, "MALFORMED_JSON"), (#"{"a":True}"#, "MALFORMED_JSON"), (#"{"a":nullx}"#, "MALFORMED_JSON"),
        (#"{"a":1,}"#, "MALFORMED_JSON"), (#"{,"a":1}"#, "MALFORMED_JSON"), (#"{"a" 1}"#, "MALFORMED_JSON"),
        (#"{"a":1 2}"#, "MALFORMED_JSON"), (#"{"a":1 "b":2}"#, "MALFORMED_JSON"), (#"{"a":}"#, "MALFORMED_JSON"),
        (#"{"a":1,"unread":[1,]}"#, "MALFORMED_JSON"), (#"{"a":1,"unread":[1 2]}"#, "MALFORMED_JSON"),
        (#"{"a":1,"unread":{"b"}}"#, "MALFORMED_JSON"), (#"{"a":1,"unread":[}]}"#, "MALFORMED_JSON"),
        (#"{"a":1,"unread":"\q"}"#, "MALFORMED_JSON"), (#"{"a":1,"unread":"\u12g4"}"#, "MALFORMED_JSON"),
        (#"{"a":1,"un\xread":1}"#, "MALFORMED_JSON"), ("{\"a\":1,\"unread\":\"\u{1}\"}", "MALFORMED_JSON"),
        (#"{"a":1,"unread":"x"y}"#, "MALFORMED_JSON"), (#"{"a":1,"unread":1"x"}"#, "MALFORMED_JSON"),
        ("{\"a\":1,\u{c}\"b\":2}", "MALFORMED_JSON"),
        ("[1,2]", "NOT_AN_OBJECT"), (#"[{"a":1}]"#, "NOT_AN_OBJECT"), ("1", "NOT_AN_OBJECT"), ("null", "NOT_AN_OBJECT"),
        (#""text""#, "NOT_AN_OBJECT"), ("true", "NOT_AN_OBJECT"),
        (
            #"{"a":1,"unread":"# + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}",
            "TOO_DEEP"
        ),
        (String(repeating: #"{"unread":"#, count: 100_000), "TOO_DEEP"),
    ]

    @Test(arguments: broken.indices) func brokenWhateverIsRead(_ index: Int) throws {
        let (json, code) = Self.broken[index]
        let schemas = [
            Schema([Field("a", .int64)]), Schema([]), Schema([Field("unread", .string)]), Schema([Field("a", .string)]),
        ]
        for schema in schemas {
            let (batch, faults) = try JSONDecoder(schema: schema).decode(block([#"{"a":1}"#, json, #"{"a":3}"#]))
            #expect(faults.map(\.row) == [1], "\(json.prefix(80)) read as \(schema)")
            #expect(faults.first?.code.name == code, "\(json.prefix(80)) read as \(schema): \(faults)")
            for column in batch.columns { #expect(show(column, 1) == "null") }
            if schema.fields.first?.name == "a" { #expect(show(batch.columns[0], 2).contains("3")) }
        }
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80],
        ] as [[UInt8]]) func invalidUTF8Anywhere(_ bad: [UInt8]) throws
    {
        for (before, after) in [(#"{"a":"x"#, #""}"#), (#"{"a":1,"unread":""#, #""}"#), (#"{"a":1,""#, #"":2}"#)] {
            let bytes = Array(before.utf8) + bad + Array(after.utf8)
            let good = Array(#"{"a":1}"#.utf8)
            let (batch, faults) = try JSONDecoder(schema: Schema([Field("a", .string)]))
                .decode(block(bytes: [good, bytes, good]))
            #expect(faults.map(\.row) == [1])
            #expect(faults.first?.code == "INVALID_UTF8")
            #expect((0..<3).map { show(batch.columns[0], $0) } == ["'1'", "null", "'1'"])
        }
    }

    static let wrong: [(type: DataType, json: String, message: String)] = [
        (.int32, #"{"a":"1"}"#, "Field 'a': expected int, found a string."),
        (.int32, #"{"a":1.5}"#, "Field 'a': expected int, found a number with a fraction or an exponent."),
        (.int64, #"{"a":1e2}"#, "Field 'a': expected bigint, found a number with a fraction or an exponent."),
        (.int64, #"{"a":1.0}"#, "Field 'a': expected bigint, found a number with a fraction or an exponent."),
        (.int32, #"{"a":3000000000}"#, "Field 'a': expected int, found a value out of its range."),
        (.int8, #"{"a":128}"#, "Field 'a': expected tinyint, found a value out of its range."),
        (.int64, #"{"a":9223372036854775808}"#, "Field 'a': expected bigint, found a value out of its range."),
        (.int64, #"{"a":99999999999999999999999}"#, "Field 'a': expected bigint, found a value out of its range."),
        (.boolean, #"{"a":"true"}"#, "Field 'a': expected boolean, found a string."),
        (.boolean, #"{"a":1}"#, "Field 'a': expected boolean, found a number."),
        (.double, #"{"a":"1.5"}"#, "Field 'a': expected double, found a string."),
        (.double, #"{"a":true}"#, "Field 'a': expected double, found a boolean."),
        (
            .decimal(precision: 5, scale: 2), #"{"a":1000}"#,
            "Field 'a': expected decimal(5,2), found a value out of its range."
        ),
        (
            .decimal(precision: 5, scale: 2), #"{"a":1e999999999999999999}"#,
            "Field 'a': expected decimal(5,2), found a value out of its range."
        ),
        (
            .decimal(precision: 5, scale: 2), #"{"a":"x"}"#,
            "Field 'a': expected decimal(5,2), found a string that is no decimal(5,2)."
        ),
        (.date, #"{"a":"2023-02-29"}"#, "Field 'a': expected date, found a string that is no date."),
        (.date, #"{"a":19724}"#, "Field 'a': expected date, found a number."),
        (
            .timestamp, #"{"a":"2024-01-02T25:00:00Z"}"#,
            "Field 'a': expected timestamp, found a string that is no timestamp."
        ),
        (
            .timestamp, #"{"a":"2024-01-02T03:04:05+19:00"}"#,
            "Field 'a': expected timestamp, found a string that is no timestamp."
        ),
        (.timestamp, #"{"a":1.5}"#, "Field 'a': expected timestamp, found a number with a fraction or an exponent."),
        (.timestamp, #"{"a":9223372036854775}"#, "Field 'a': expected timestamp, found a value out of its range."),
        (.timestamp, #"{"a":"9999999-01-01"}"#, "Field 'a': expected timestamp, found a value out of its range."),
        (
            .yearMonthInterval, #"{"a":"INTERVAL '1-12' YEAR TO MONTH"}"#,
            "Field 'a': expected interval year to month, found a string that is no interval year to month."
        ),
        (
            .dayTimeInterval, #"{"a":"INTERVAL '106751992' DAY"}"#,
            "Field 'a': expected interval day to second, found a value out of its range."
        ),
        (.binary, #"{"a":"x"}"#, "Field 'a': expected binary, found a string that is no binary."),
        (.binary, #"{"a":"A=B="}"#, "Field 'a': expected binary, found a string that is no binary."),
        (.array(.int32), #"{"a":{}}"#, "Field 'a': expected array<int>, found an object."),
        (.array(.int32), #"{"a":[1,"x"]}"#, "Field 'a[]': expected int, found a string."),
        (.map(.string, .int32), #"{"a":{"k":[]}}"#, "Field 'a{}': expected int, found an array."),
        (item, #"{"a":[1]}"#, "Field 'a': expected struct<sku:string,qty:int>, found an array."),
        (item, #"{"a":{"qty":"2"}}"#, "Field 'a.qty': expected int, found a string."),
        (.null, #"{"a":1}"#, "Field 'a': expected void, found a number."),
    ]

    @Test(arguments: wrong.indices) func namesFieldExpectedAndFound(_ index: Int) throws {
        let (type, json, message) = Self.wrong[index]
        let schema = Schema([Field("id", .int32), Field("a", type)])
        let bad = json.replacing("{\"a\"", with: "{\"id\":1,\"a\"", maxReplacements: 1)
        let (batch, faults) = try JSONDecoder(schema: schema).decode(block([#"{"id":0}"#, bad, #"{"id":2}"#]))
        #expect(faults == [RowFault(row: 1, code: "WRONG_TYPE", message: message)])
        #expect(show(batch, 1) == "null | null")
        #expect(show(batch, 2) == "2 | null")
    }

    @Test func depthCountsTheDocumentItself() throws {
        let decoder = try JSONDecoder(schema: Schema([Field("a", .string)]), depthMax: 3)
        let (batch, faults) = decoder.decode(block([#"{"a":[[1]]}"#, #"{"a":[[[1]]]}"#, #"{"b":[[{}]]}"#]))
        #expect(faults.map(\.row) == [1, 2])
        #expect(faults.allSatisfy { $0.code == "TOO_DEEP" })
        #expect(show(batch, 0) == "'[[1]]'")
        let nested = try JSONDecoder(schema: Schema([Field("a", .array(.array(.array(.int32))))]), depthMax: 3)
        #expect(nested.decode(block([#"{"a":[[[1]]]}"#])).faults.first?.code == "TOO_DEEP")
        #expect(nested.decode(block([#"{"a":[[null]]}"#])).faults.isEmpty)
    }
}
