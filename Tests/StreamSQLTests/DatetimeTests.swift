import StreamCore
import Testing

@testable import StreamSQL

@Suite("dates and times")
struct DatetimeTests {
    /// Berlin: +01:00, in summer +02:00; 2024-03-31 02:00 is skipped to 03:00, 2024-10-27 03:00 goes back to 02:00.
    @Test(arguments: [
        ("hour(timestamp'2024-07-01 10:00:00Z')", "12"),
        ("day(timestamp'2024-07-01 22:30:00Z')", "2"),
        ("timestamp'2024-07-01 12:00:00'", "\"2024-07-01 10:00:00\""),
        ("date_trunc('day', timestamp'2024-07-01 00:30:00')", "\"2024-06-30 22:00:00\""),
        ("date_trunc('hour', timestamp'2024-07-01 00:30:00')", "\"2024-06-30 22:00:00\""),
        // In the gap the clock moves on by its length; a day is a day of the calendar.
        ("timestamp'2024-03-30 02:30:00' + interval 1 day", "\"2024-03-31 01:30:00\""),
        ("timestamp'2024-03-30 12:00:00' + interval 1 day", "\"2024-03-31 10:00:00\""),
        ("timestamp'2024-03-30 12:00:00' + interval 90 minutes", "\"2024-03-30 12:30:00\""),
        // In the overlap the offset stays as it was.
        ("timestamp'2024-10-26 02:30:00' + interval 1 day", "\"2024-10-27 00:30:00\""),
        ("timestamp'2024-11-27 02:30:00' - interval 1 month", "\"2024-10-27 01:30:00\""),
        ("timestamp'2024-03-31 12:00:00' - timestamp'2024-03-30 12:00:00'", "\"INTERVAL '1 00:00:00' DAY TO SECOND\""),
        ("timestampdiff(hour, timestamp'2024-03-31 00:00:00', timestamp'2024-03-31 04:00:00')", "4"),
        ("unix_timestamp('2024-07-01 12:00:00')", "1719828000"),
        ("from_unixtime(0)", "\"1970-01-01 01:00:00\""),
        ("to_timestamp('01.07.2024 12', 'dd.MM.yyyy HH')", "\"2024-07-01 10:00:00\""),
        ("to_timestamp('2024-07-01 12:00 Asia/Tokyo', 'yyyy-MM-dd HH:mm VV')", "\"2024-07-01 03:00:00\""),
        (
            "date_format(timestamp'2024-07-01 12:00:00', 'HH z VV XXX O x')",
            "\"12 CEST Europe/Berlin +02:00 GMT+2 +02\""
        ),
        ("make_timestamp(2024, 7, 1, 0, 0, 0)", "\"2024-06-30 22:00:00\""),
        ("make_timestamp(2024, 7, 1, 0, 0, 0, 'Asia/Tokyo')", "\"2024-06-30 15:00:00\""),
        (
            "to_json(struct(timestamp'2024-07-01 12:00:00' as t))",
            "\"{\\\"t\\\":\\\"2024-07-01T12:00:00.000+02:00\\\"}\""
        ),
        ("from_json('{\"t\":\"2024-07-01 12:00:00\"}', 't TIMESTAMP').t", "\"2024-07-01 10:00:00\""),
        ("size(sequence(timestamp'2024-03-30 00:00:00', timestamp'2024-04-01 00:00:00', interval 1 day))", "3"),
    ])
    func inBerlin(expression: String, expected: String) throws {
        let berlin = try #require(TimeZone.named("Europe/Berlin"))
        #expect(ExpressionValue.of(expression, zone: berlin) == expected)
    }

    /// Java's DateTimeFormatter gives these.
    @Test(arguments: [
        ("date_format(timestamp'0042-03-04 00:00:00', 'y yy yyyy')", "\"42 42 0042\""),
        (
            "date_format(date'2024-05-06', \"'day' d, '''' DDD [EEE] QQQ QQQQ G\")",
            "\"day 6, ' 127 Mon Q2 2nd quarter AD\""
        ),
        ("date_format(timestamp'2024-01-01 00:05:09', 'h k K H m s SSSSSSSSS')", "\"12 24 0 0 5 9 000000000\""),
        ("date_format(date'2024-01-01', 'n')", "!INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER"),
        ("date_format(date'2024-01-01', 'MMMMM')", "!INVALID_DATETIME_PATTERN.LENGTH"),
        ("date_format(date'2024-01-01', \"yyyy 'x\")", "!INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER"),
        ("to_date('20240229', 'yyyyMMdd')", "\"2024-02-29\""),
        ("to_date('2024-2-9', 'yyyy-M-d')", "\"2024-02-09\""),
        ("to_date('2024-2-9', 'yyyy-MM-dd')", "!CANNOT_PARSE_TIMESTAMP"),
        ("to_date('9 feb 2024', 'd MMM yyyy')", "\"2024-02-09\""),
        ("to_date('2024-366', 'yyyy-DDD')", "\"2024-12-31\""),
        ("to_date('2023-366', 'yyyy-DDD')", "!CANNOT_PARSE_TIMESTAMP"),
        ("to_timestamp('12:30 pm', 'hh:mm a')", "\"1970-01-01 12:30:00\""),
        ("to_timestamp('12:30 am', 'hh:mm a')", "\"1970-01-01 00:30:00\""),
        ("to_timestamp('2024-01-02', 'yyyy-MM-dd[ HH:mm]')", "\"2024-01-02 00:00:00\""),
        ("to_timestamp('2024-01-02 03:04', 'yyyy-MM-dd[ HH:mm]')", "\"2024-01-02 03:04:00\""),
        ("to_timestamp('2024-01-02 03:04:05 -0230', 'yyyy-MM-dd HH:mm:ss xx')", "\"2024-01-02 05:34:05\""),
        ("to_timestamp('2024-01-02 x', 'yyyy-MM-dd')", "!CANNOT_PARSE_TIMESTAMP"),
        ("from_utc_timestamp(timestamp'2024-01-01', 'Nowhere/City')", "!INVALID_TIMEZONE"),
    ])
    func patterns(expression: String, expected: String) {
        #expect(ExpressionValue.of(expression) == expected)
    }

    @Test(arguments: [
        ("interval '1-2' year to month * 2", "\"INTERVAL '2-4' YEAR TO MONTH\""),
        ("1.5 * interval 1 month", "\"INTERVAL '0-2' YEAR TO MONTH\""),
        ("interval 1 second / 3", "\"INTERVAL '0 00:00:00.333333' DAY TO SECOND\""),
        ("interval 1 day / 0", "!INTERVAL_DIVIDED_BY_ZERO"),
        ("interval '2' day div interval '7' hour", "6"),
        ("interval 1 day - interval 25 hours", "\"INTERVAL '-0 01' DAY TO HOUR\""),
        ("date'2024-01-01' + interval 1 day", "\"2024-01-02\""),
        ("date'2024-01-01' + interval 1 hour", "\"2024-01-01 01:00:00\""),
        ("interval 1 month + date'2024-01-31'", "\"2024-02-29\""),
        ("date'2024-01-01' - 1", "\"2023-12-31\""),
        ("date'2024-01-01' - timestamp'2023-12-31 12:00:00'", "\"INTERVAL '0 12:00:00' DAY TO SECOND\""),
        ("date'2024-01-01' + cast(null as int)", "null"),
        ("date'2024-01-01' * 2", "!DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES"),
        ("date_from_unix_date(2147483647) + 1", "!DATETIME_OVERFLOW"),
        ("try_add(date_from_unix_date(2147483647), 1)", "null"),
        ("extract(month from interval '3-7' year to month)", "7"),
        ("extract(second from interval '1 02:03:04.5' day to second)", "4.500000"),
        ("extract(era from date'2024-01-01')", "!INVALID_EXTRACT_FIELD"),
        ("make_dt_interval(1, 2, 3, 4.5)", "\"INTERVAL '1 02:03:04.5' DAY TO SECOND\""),
        ("make_interval(1, 2, 0, 3)", "\"1 years 2 months 3 days\""),
        ("dayofweek(date'1969-12-28')", "1"), ("weekofyear(date'2021-01-03')", "53"),
        ("timestampadd(month, -1, timestamp'2024-03-31 10:00:00')", "\"2024-02-29 10:00:00\""),
        ("timestampdiff(month, timestamp'2024-03-31', timestamp'2024-01-31')", "-2"),
        ("timestampdiff(quarter, date'2024-01-01', date'2024-12-31')", "3"),
        ("next_day(date'2024-01-02', 'TUESDAY')", "\"2024-01-09\""),
        ("months_between(date'2024-02-29', date'2024-01-31')", "1.0"),
        ("timestamp_micros(9223372036854775807) + interval 1 second", "!DATETIME_OVERFLOW"),
        ("second(timestamp_micros(-9223372036854775808))", "5"),
    ])
    func arithmetic(expression: String, expected: String) {
        #expect(ExpressionValue.of(expression) == expected)
    }

    @Test func nowIsTheBatchTime() {
        #expect(ExpressionValue.of("unix_timestamp()", now: 1_750_000_000_999_999) == "1750000000")
    }

    @Test func columnsWithNulls() throws {
        let harness = try QueryHarness(
            "t", "d DATE, n INT, f STRING",
            [
                [.integer(0), .integer(1), .string("yyyy")], [.null, .integer(1), .string("MM")],
                [.integer(31), .null, .string("n")], [.integer(59), .integer(-1), .string("dd")],
            ])
        let result = try harness.run("SELECT date_add(d, n), d + n, month(d), add_months(d, n) FROM t")
        #expect(result.faults.isEmpty)
        #expect(
            result.rows == [
                [.integer(1), .integer(1), .integer(1), .integer(31)], [.null, .null, .null, .null],
                [.null, .null, .integer(2), .null], [.integer(58), .integer(58), .integer(3), .integer(31)],
            ])
        let text = try harness.run("SELECT date_format(d, f) FROM t")
        #expect(text.rows == [[.string("1970")], [.null], [.string("01")]])
        #expect(text.faults == ["2:INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER"])
    }
}
