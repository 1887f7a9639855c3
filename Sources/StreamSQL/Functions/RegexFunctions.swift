import StreamCore

/// `regexp_…`: a pattern that is constant is compiled once per task.
enum RegexFunctions {
    static let all: [ScalarFunction] = [
        matching("regexp_extract", [.string, .string], optional: [.int32], returns: .string) { call, cache in
            let (subject, pattern, group) = arguments(call)
            return call.part(of: subject) { (row) throws(RowError) in
                let regex = try cache.regex(pattern[row])
                guard try regex.search(subject[row]) else { return .empty }
                return subject.view(row).part(try regex.part(group(row)))
            }
        },
        matching("regexp_extract_all", [.string, .string], optional: [.int32], returns: .array(.string)) {
            call, cache in
            let (subject, pattern, group) = arguments(call)
            return call.textList(of: subject) { (row, views) throws(RowError) in
                let regex = try cache.regex(pattern[row])
                try regex.forEachMatch(subject[row]) { (_) throws(RowError) in
                    views.append(subject.view(row).part(try regex.part(group(row))))
                    return true
                }
                return true
            }
        },
        matching("regexp_count", [.string, .string], returns: .int32) { call, cache in
            let (subject, pattern, _) = arguments(call)
            return call.int32 { (row) throws(RowError) in
                var count: Int32 = 0
                try cache.regex(pattern[row]).forEachMatch(subject[row]) { _ in
                    count &+= 1
                    return true
                }
                return count
            }
        },
        matching("regexp_substr", [.string, .string], returns: .string) { call, cache in
            let (subject, pattern, _) = arguments(call)
            return call.part(of: subject) { (row) throws(RowError) in
                let regex = try cache.regex(pattern[row])
                guard try regex.search(subject[row]), let match = regex.range(of: 0), !match.isEmpty else { return nil }
                return subject.view(row).part(match)
            }
        },
        matching("regexp_instr", [.string, .string], optional: [.int32], returns: .int32) { call, cache in
            let (subject, pattern, _) = arguments(call)
            return call.int32 { (row) throws(RowError) in
                let regex = try cache.regex(pattern[row])
                guard try regex.search(subject[row]), let match = regex.range(of: 0) else { return 0 }
                let before = UnsafeRawBufferPointer(rebasing: subject[row][..<match.lowerBound])
                return Int32(truncatingIfNeeded: UTF8Text.length(before) + 1)
            }
        },
        ScalarFunction(
            "regexp_replace", .exact([.string, .string, .string], optional: [.int32], returns: .string),
            implementation: .prepared { _ in
                let cache = RegexCache()
                let templates = TemplateCache()
                return { replace($0, cache, templates) }
            }),
    ]

    private static func matching(
        _ name: String, _ parameters: [DataType], optional: [DataType] = [], returns type: DataType,
        _ body: @escaping @Sendable (Call, RegexCache) -> Column
    ) -> ScalarFunction {
        ScalarFunction(
            name, .exact(parameters, optional: optional, returns: type),
            implementation: .prepared { _ in
                let cache = RegexCache()
                return { body($0, cache) }
            })
    }

    /// Subject, pattern, and the group of each row (1 if none is given).
    private static func arguments(_ call: Call) -> (BytesInput, BytesInput, (Int) -> Int) {
        let group = call.arguments.count > 2 ? call.int32s(2) : nil
        return (call.bytes(0), call.bytes(1), { row in group.map { Int($0[row]) } ?? 1 })
    }

    private static func replace(_ call: Call, _ cache: RegexCache, _ templates: TemplateCache) -> Column {
        let (subject, pattern, replacement) = (call.bytes(0), call.bytes(1), call.bytes(2))
        let positions = call.arguments.count > 3 ? call.int32s(3) : nil
        return call.bytes { (row, writer) throws(RowError) in
            let bytes = subject[row]
            let position = positions.map { Int($0[row]) } ?? 1
            guard position > 0 else {
                throw RowError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "the position must be at least 1")
            }
            let start = UTF8Text.offset(bytes, ofPoint: position - 1)
            let regex = try cache.regex(pattern[row])
            var last = 0
            if start < bytes.count || position == 1 {
                try regex.forEachMatch(bytes, from: start) { (match) throws(RowError) in
                    let template = try templates.template(replacement[row], regex.groupCount)
                    writer.append(UnsafeRawBufferPointer(rebasing: bytes[last..<match.lowerBound]))
                    for part in template.parts {
                        switch part {
                        case .text(let text): writer.append(contentsOf: text)
                        case .group(let group):
                            if let range = regex.range(of: group) {
                                writer.append(UnsafeRawBufferPointer(rebasing: bytes[range]))
                            }
                        }
                    }
                    last = match.upperBound
                    return true
                }
            }
            writer.append(UnsafeRawBufferPointer(rebasing: bytes[last...]))
            return true
        }
    }
}

extension Regex {
    /// Where a group of the last match lies; empty if it took no part.
    func part(_ group: Int) throws(RowError) -> Range<Int> {
        guard group >= 0, group <= groupCount else {
            throw RowError(
                "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX",
                "the regular expression has \(groupCount) groups, not \(group)")
        }
        return range(of: group) ?? 0..<0
    }
}

/// A replacement in the way of Java: `$1` is a group, a backslash makes the next character itself.
struct ReplacementTemplate {
    enum Part {
        case text([UInt8])
        case group(Int)
    }

    private(set) var parts: [Part] = []

    init(_ bytes: UnsafeRawBufferPointer, groupCount: Int) throws(RowError) {
        var text: [UInt8] = []
        var index = 0
        func flush(_ parts: inout [Part]) {
            if !text.isEmpty { parts.append(.text(text)) }
            text = []
        }
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\\") {
                guard index < bytes.count else { throw Self.unreadable }
                text.append(bytes[index])
                index += 1
            } else if byte == UInt8(ascii: "$") {
                guard index < bytes.count, bytes[index].isDigit else { throw Self.unreadable }
                var group = Int(bytes[index] - 0x30)
                index += 1
                guard group <= groupCount else {
                    throw RowError(
                        "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX",
                        "the replacement asks for group \(group) of \(groupCount)")
                }
                // Further digits belong to the number as long as there is such a group.
                while index < bytes.count, bytes[index].isDigit, group * 10 + Int(bytes[index] - 0x30) <= groupCount {
                    group = group * 10 + Int(bytes[index] - 0x30)
                    index += 1
                }
                flush(&parts)
                parts.append(.group(group))
            } else {
                text.append(byte)
            }
        }
        flush(&parts)
    }

    private static let unreadable = RowError(
        "INVALID_PARAMETER_VALUE.REPLACEMENT",
        "the replacement ends in a backslash or has a '$' without a group's number")
}

/// Keeps the last replacement as long as it does not change.
final class TemplateCache {
    private var source: [UInt8]?
    private var groupCount = 0
    private var template: ReplacementTemplate?

    func template(_ bytes: UnsafeRawBufferPointer, _ groupCount: Int) throws(RowError) -> ReplacementTemplate {
        if let source, let template, self.groupCount == groupCount,
            source.withUnsafeBytes({ UTF8Text.isEqual($0, bytes) })
        {
            return template
        }
        let parsed = try ReplacementTemplate(bytes, groupCount: groupCount)
        source = Array(bytes)
        self.groupCount = groupCount
        template = parsed
        return parsed
    }
}
