import StreamCore
import Testing

@testable import StreamSQL

@Suite("arrays, maps and JSON")
struct CollectionTests {
    @Test(arguments: [
        // A list long enough to be hashed.
        ("size(array_distinct(concat(sequence(1, 100), sequence(50, 150))))", "150"),
        ("size(array_intersect(sequence(1, 100), sequence(90, 200)))", "11"),
        ("array_distinct(array(0.0d, -0.0d, cast('NaN' as double), cast('NaN' as double)))", "[0.0, \"NaN\"]"),
        ("array_insert(array(1, 2), -1, 9)", "[1, 2, 9]"), ("array_insert(array(1, 2), -4, 9)", "[9, null, 1, 2]"),
        ("array_insert(array(1), 0, 9)", "!INVALID_INDEX_OF_ZERO"),
        ("array_repeat(1, 2000000000)", "!COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION"),
        ("sequence(0, 9223372036854775807)", "!COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION"),
        (
            "sequence(-9223372036854775808, 9223372036854775807, 9223372036854775807)",
            "[-9223372036854775808, -1, 9223372036854775806]"
        ),
        ("sequence(date'2024-01-03', date'2024-01-01')", "[\"2024-01-03\", \"2024-01-02\", \"2024-01-01\"]"),
        ("slice(array(1, 2, 3), -5, 2)", "[]"), ("slice(array(1, 2, 3), 2, 2147483647)", "[2, 3]"),
        ("element_at(map('a', null), 'a')", "null"), ("try_element_at(array(1), 0)", "!INVALID_INDEX_OF_ZERO"),
        ("str_to_map('')", "{\"\": null}"), ("str_to_map('a:1,a:2')", "!DUPLICATED_MAP_KEY"),
        ("map_from_arrays(array('a'), array(1, 2))", "!MAP_KEY_VALUE_DIFF_SIZES"),
        ("map_from_entries(array(struct(null, 1)))", "!NULL_MAP_KEY"),
        ("array_append(array(1), 'x')", "!CAST_INVALID_INPUT"),
        ("array_contains(map('a', 1), 'a')", "!DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
        ("sort_array(array(struct(2, 'a'), struct(1, 'b')))[0].col2", "\"b\""),
        ("array_size(cast(null as array<int>))", "null"),
    ])
    func arraysAndMaps(expression: String, expected: String) {
        #expect(ExpressionValue.of(expression) == expected)
    }

    @Test(arguments: [
        ("get_json_object('{\"a\":[{\"b\":\"x\"}]}', '$.a[*].b')", "\"\\\"x\\\"\""),
        ("get_json_object('{\"a\":\"q\\\\u00e9\\\\n\"}', \"$['a']\")", "\"q\u{e9}\\n\""),
        ("get_json_object('[[1,2],[3]]', '$[*][*]')", "\"[[1,2],[3]]\""),
        ("get_json_object('{\"a\":1}', 'a')", "null"), ("get_json_object('{\"a\":1}', '$.b.c')", "null"),
        (
            "from_csv('1,,\"a,\\\\\"b\",x', 'a INT, b STRING, c STRING, d INT')",
            "{\"a\": 1, \"b\": null, \"c\": \"a,\\\"b\", \"d\": null}"
        ),
        ("to_csv(struct(1.50, '', true, null), map('sep', ';', 'nullValue', '-'))", "\"1.50;\\\"\\\";true;-\""),
        ("json_array_length('{}')", "null"), ("json_object_keys('[]')", "null"),
        ("schema_of_json('[{\"a\":1},{\"a\":1.5,\"b c\":null}]')", "\"ARRAY<STRUCT<a: DOUBLE, `b c`: STRING>>\""),
        ("from_json('{\"a\":{\"b\":1,\"b\":2}}', 'a MAP<STRING, INT>').a", "{\"b\": 2}"),
        ("from_json('{\"a\":[1,\"x\"]}', 'a ARRAY<INT>').a", "[1, null]"),
        ("from_json('{\"a\":1}', 'a INT', map('mode', 'FAILFAST')).a", "1"),
        (
            "from_json('{\"a\":\"x\"}', 'a INT', map('mode', 'FAILFAST'))",
            "!MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION"
        ),
        ("from_json('x', 'INT')", "!DATATYPE_MISMATCH.INVALID_JSON_SCHEMA"),
        ("from_json('x', 'a NOTYPE')", "!INVALID_SCHEMA.PARSE_ERROR"),
        ("from_json('{\"a\":5}', schema_of_json('{\"a\":1}')).a", "5"),
        ("to_json(struct('\u{1}\\\\/' as s))", "\"{\\\"s\\\":\\\"\\\\u0001\\\\\\\\/\\\"}\""),
    ])
    func json(expression: String, expected: String) {
        #expect(ExpressionValue.of(expression) == expected)
    }

    @Test func columnsWithNulls() throws {
        let harness = try QueryHarness(
            "t", "j STRING, a ARRAY<INT>, m MAP<STRING, INT>",
            [
                [
                    .string("{\"x\":1,\"y\":\"a\"}"), .array([.integer(3), .null, .integer(1)]),
                    .map(keys: [.string("k")], values: [.integer(7)]),
                ],
                [.null, .null, .null],
                [.string("{\"x\":\"no\"}"), .array([]), .map(keys: [], values: [])],
                [.string("[]"), .array([.integer(5)]), .map(keys: [.string("z")], values: [.null])],
            ])
        let result = try harness.run(
            """
            SELECT from_json(j, 'x INT, y STRING') AS s, array_sort(a) AS b, array_append(a, 9) AS c, m['k'] AS k,
                map_keys(m) AS n, get_json_object(j, '$.y') AS y
            FROM t
            """)
        #expect(result.faults.isEmpty)
        #expect(
            result.rows == [
                [
                    .structure([.integer(1), .string("a")]), .array([.integer(1), .integer(3), .null]),
                    .array([.integer(3), .null, .integer(1), .integer(9)]), .integer(7), .array([.string("k")]),
                    .string("a"),
                ],
                [.null, .null, .null, .null, .null, .null],
                [.structure([.null, .null]), .array([]), .array([.integer(9)]), .null, .array([]), .null],
                [
                    .structure([.null, .null]), .array([.integer(5)]), .array([.integer(5), .integer(9)]), .null,
                    .array([.string("z")]), .null,
                ],
            ])
    }

    /// Every function of these families with extreme and odd arguments: a value or an error, never a trap.
    @Test(arguments: [UInt64(3), 2026])
    func oddArguments(seed: UInt64) {
        var random = StableRandom(seed: seed)
        let families = [
            DateFieldFunctions.all, DatetimeFunctions.all, DatetimePatternFunctions.all, EpochFunctions.all,
            CollectionFunctions.all, ArraySetFunctions.all, ArrayShapeFunctions.all, SequenceFunctions.all,
            MapFunctions.all,
            JSONFunctions.all, CSVFunctions.all,
        ]
        let names = families.joined().map(\.name).filter { !$0.hasPrefix("#") } + ["+", "-", "*", "/"]
        let arguments = [
            "null", "0", "1", "-1", "2147483647", "-2147483648", "9223372036854775807", "-9223372036854775808", "1.5",
            "1e300d", "cast('NaN' as double)", "''", "'x'", "'{\"a\":[1,{\"b\":null}]}'", "'$.a[*].b'",
            "'yyyy-MM-dd HH:mm:ss.SSS VV'",
            "'[GGGG][[u]]'", "'a INT, b MAP<STRING, ARRAY<DATE>>'", "'Europe/Berlin'", "'month'", "'(x*)*y'",
            "date_from_unix_date(2147483647)", "date_from_unix_date(-2147483648)", "date'2024-02-29'",
            "timestamp_micros(9223372036854775807)", "timestamp_micros(-9223372036854775808)",
            "timestamp'2024-02-29 01:02:03'",
            "interval 178956970 years", "interval -106751991 days", "interval '1' second",
            "make_interval(1, 2, 3, 4, 5, 6, 7.5)",
            "array()", "array(1, null, 3)", "array('a', null)", "map('a', 1)", "struct(1 as x, 'y' as y)",
            "array(array(1), null)",
            "array(struct('k', 1))", "cast(null as timestamp)", "true", "X'00ff'",
        ]
        for zone in [TimeZone.utc, TimeZone.named("Asia/Kathmandu") ?? .utc] {
            for _ in 0..<500 {
                let name = names[Int.random(in: 0..<names.count, using: &random)]
                let picked = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                    arguments[Int.random(in: 0..<arguments.count, using: &random)]
                }
                let expression =
                    name.utf8.first?.isWordStart == true
                    ? "\(name)(\(picked.joined(separator: ", ")))" : "\(picked[0]) \(name) \(picked[picked.count - 1])"
                _ = ExpressionValue.of(expression, zone: zone)
            }
        }
    }
}
