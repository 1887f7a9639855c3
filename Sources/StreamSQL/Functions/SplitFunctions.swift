import StreamCore

/// `split(text, pattern, limit)`: elements are views into the text.
enum SplitFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction(
            "split", .exact([.string, .string], optional: [.int32], returns: .array(.string)),
            implementation: .prepared { _ in
                let cache = SeparatorCache()
                return { split($0, cache) }
            })
    ]

    private static func split(_ call: Call, _ cache: SeparatorCache) -> Column {
        let (text, pattern) = (call.bytes(0), call.bytes(1))
        let limits = call.arguments.count > 2 ? call.int32s(2) : nil
        return call.textList(of: text) { (row, views) throws(RowError) in
            let bytes = text[row]
            let view = text.view(row)
            let given = limits.map { Int($0[row]) } ?? -1
            // Java gives no more than `limit` parts; 0 and less are no limit, and empty parts at the end stay.
            let limit = given > 0 ? given : .max
            switch try cache.separator(pattern[row]) {
            case .nothing: appendCharacters(bytes, view, limit, &views)
            case .text(let separator):
                separator.withUnsafeBytes { appendParts(bytes, view, $0, limit, &views) }
            case .regex(let regex): try appendParts(bytes, view, regex, limit, &views)
            }
            return true
        }
    }

    /// An empty pattern gives the characters, and beyond the limit nothing.
    private static func appendCharacters(
        _ bytes: UnsafeRawBufferPointer, _ view: ByteView, _ limit: Int, _ views: inout [ByteView]
    ) {
        if bytes.isEmpty { views.append(.empty) }
        var start = 0
        var left = limit
        while start < bytes.count, left > 0 {
            let end = UTF8Text.nextPoint(bytes, start)
            views.append(view.part(start..<end))
            start = end
            left -= 1
        }
    }

    private static func appendParts(
        _ bytes: UnsafeRawBufferPointer, _ view: ByteView, _ separator: UnsafeRawBufferPointer, _ limit: Int,
        _ views: inout [ByteView]
    ) {
        var start = 0
        var left = limit
        while left > 1, let place = UTF8Text.find(separator, in: bytes, from: start) {
            views.append(view.part(start..<place))
            start = place + separator.count
            left -= 1
        }
        views.append(view.part(start..<bytes.count))
    }

    private static func appendParts(
        _ bytes: UnsafeRawBufferPointer, _ view: ByteView, _ regex: Regex, _ limit: Int, _ views: inout [ByteView]
    ) throws(RowError) {
        var start = 0
        var left = limit
        if left > 1 {
            try regex.forEachMatch(bytes) { match in
                // An empty match at the very beginning splits nothing off.
                if match.isEmpty, match.lowerBound == 0 { return true }
                views.append(view.part(start..<match.lowerBound))
                start = match.upperBound
                left -= 1
                return left > 1
            }
        }
        views.append(view.part(start..<bytes.count))
    }
}

/// What `split` looks for. Most patterns are plain text, which needs no regular expression.
enum Separator {
    case nothing
    case text([UInt8])
    case regex(Regex)

    init(_ pattern: UnsafeRawBufferPointer) throws(RowError) {
        if pattern.isEmpty {
            self = .nothing
        } else if let text = Self.plain(pattern) {
            self = .text(text)
        } else {
            self = .regex(try Regex(String(decoding: pattern, as: UTF8.self)))
        }
    }

    /// The text that a pattern stands for, if it is plain or escapes punctuation only: `,` or `\\|`.
    private static func plain(_ pattern: UnsafeRawBufferPointer) -> [UInt8]? {
        var text: [UInt8] = []
        var isEscaped = false
        for byte in pattern {
            let isWord = byte.isWordStart || byte.isDigit
            if isEscaped {
                guard !isWord, byte > 0x20 else { return nil }
                text.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if #".$|()[]{}^?*+"#.utf8.contains(byte) {
                return nil
            } else {
                text.append(byte)
            }
        }
        return isEscaped ? nil : text
    }
}

/// Keeps the last separator as long as it does not change.
final class SeparatorCache {
    private var pattern: [UInt8]?
    private var result: Result<Separator, RowError>?

    func separator(_ bytes: UnsafeRawBufferPointer) throws(RowError) -> Separator {
        if let pattern, let result, pattern.withUnsafeBytes({ UTF8Text.isEqual($0, bytes) }) { return try result.get() }
        let made: Result<Separator, RowError>
        do throws(RowError) {
            made = .success(try Separator(bytes))
        } catch {
            made = .failure(error)
        }
        pattern = Array(bytes)
        result = made
        return try made.get()
    }
}

extension Call {
    /// An array of parts of a string argument: copies no bytes. `body` appends the row's views and says whether it is
    /// not null.
    func textList(
        of argument: BytesInput, _ body: (Int, inout [ByteView]) throws(RowError) -> Bool
    ) -> Column {
        var views: [ByteView] = []
        let spans = fixed(ListSpan(start: 0, length: 0)) { (row) throws(RowError) in
            let start = views.count
            guard try body(row, &views) else { return nil }
            guard views.count <= Int(Int32.max) / 2 else {
                throw RowError("COLLECTION_SIZE_LIMIT_EXCEEDED", "too many elements")
            }
            return ListSpan(start: Int32(start), length: Int32(views.count - start))
        }
        return .array(
            ArrayColumn(
                elements: .string(BytesColumn(arena: argument.arena, views: views)), starts: spans.values.map(\.start),
                lengths: spans.values.map(\.length), nulls: spans.nulls))
    }
}
