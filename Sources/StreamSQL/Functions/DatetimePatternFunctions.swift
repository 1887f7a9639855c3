import StreamCore

/// Times as text and back, by a pattern.
enum DatetimePatternFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction(
            "date_format", .exact([.timestamp, .string], returns: .string),
            implementation: .prepared { _ in
                let cache = DatetimePatternCache(isParsing: false)
                return { format($0, cache) }
            }),
        // What to_date, to_timestamp and unix_timestamp are made of.
        parser("#parse_time", isTry: false), parser("#try_parse_time", isTry: true),
        conversion("to_date", to: .date), conversion("try_to_date", to: .date, isTry: true),
        conversion("to_timestamp", aliases: ["to_timestamp_ltz"], to: .timestamp),
        conversion("try_to_timestamp", to: .timestamp, isTry: true),
        ScalarFunction("unix_timestamp", unix(0...2)) { $0.nothing() },
        ScalarFunction("to_unix_timestamp", unix(1...2)) { $0.nothing() },
        ScalarFunction(
            "from_unixtime",
            .custom(1...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                guard Coercion.isNumeric(typing.type(0)) || [.string, .null].contains(typing.type(0)) else {
                    throw typing.mismatch(0, wanted: "BIGINT")
                }
                let time = try typing.call("timestamp_seconds", [typing.arguments[0].cast(to: .int64)])
                let pattern = typing.count > 1 ? typing.arguments[1] : .text(standardPattern)
                return typing.replace(with: try typing.call("date_format", [time, pattern]))
            }
        ) { $0.nothing() },
    ]

    private static let standardPattern = "yyyy-MM-dd HH:mm:ss"

    private static func format(_ call: Call, _ cache: DatetimePatternCache) -> Column {
        let (time, pattern, zone) = (call.int64s(0), call.bytes(1), call.context.zone)
        return call.bytes { (row, writer) throws(RowError) in
            try cache.pattern(pattern[row]).append(LocalTime(time[row], zone), &writer)
            return true
        }
    }

    private static func parser(_ name: String, isTry: Bool) -> ScalarFunction {
        ScalarFunction(
            name, .exact([.string, .string], returns: .timestamp), isTry: isTry,
            implementation: .prepared { _ in
                let cache = DatetimePatternCache(isParsing: true)
                return { call in
                    let (text, pattern, zone) = (call.bytes(0), call.bytes(1), call.context.zone)
                    return call.timestamp { (row) throws(RowError) in
                        guard let time = try cache.pattern(pattern[row]).parse(text[row], zone: zone) else {
                            throw RowError("CANNOT_PARSE_TIMESTAMP", "the text does not match the pattern")
                        }
                        return time
                    }
                }
            })
    }

    /// Without a pattern a cast; with one a text is read by it.
    private static func conversion(
        _ name: String, aliases: [String] = [], to type: DataType, isTry: Bool = false
    ) -> ScalarFunction {
        ScalarFunction(
            name, aliases: aliases,
            .custom(1...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                let source = typing.arguments[0]
                guard typing.count == 2, source.type == .string || source.type == .null else {
                    try Cast.check(from: source.type, to: type, isTry: isTry, at: typing.span)
                    return typing.replace(with: source.cast(to: type, isTry: isTry))
                }
                let time = try typing.call(isTry ? "#try_parse_time" : "#parse_time", typing.arguments)
                return typing.replace(with: time.cast(to: type))
            }
        ) { $0.nothing() }
    }

    /// Seconds since 1970 of now, of a text by a pattern, or of a date or timestamp.
    private static func unix(_ counts: ClosedRange<Int>) -> Signature {
        .custom(counts) { (typing: inout CallTyping) throws(SyntaxIssue) in
            var time: Expression
            if typing.count == 0 {
                time = try typing.call("current_timestamp", [])
            } else {
                time = typing.arguments[0]
                if time.type == .string || time.type == .null {
                    let pattern = typing.count > 1 ? typing.arguments[1] : .text(standardPattern)
                    time = try typing.call("#parse_time", [time, pattern])
                }
            }
            return typing.replace(with: try typing.call("unix_seconds", [time]))
        }
    }
}
