import StreamCore

/// LIKE, ILIKE, RLIKE.
enum PatternFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("like", text, implementation: .prepared { prepareLike($0, ignoresCase: false) }),
        ScalarFunction("ilike", text, implementation: .prepared { prepareLike($0, ignoresCase: true) }),
        ScalarFunction(
            "rlike", aliases: ["regexp", "regexp_like"], .exact([.string, .string], returns: .boolean),
            implementation: .prepared { _ in
                // Compiled at the first row: a pattern that is wrong is an error of the rows, not of the query.
                let cache = RegexCache()
                return { call in
                    let (subject, pattern) = (call.bytes(0), call.bytes(1))
                    return call.boolean { (row) throws(RowError) in try cache.regex(pattern[row]).search(subject[row]) }
                }
            }),
    ]

    private static let text = Signature.exact([.string, .string], optional: [.string], returns: .boolean)

    private static func prepareLike(_ preparation: Preparation, ignoresCase: Bool) -> (Call) -> Column {
        let cache = LikeCache()
        return { call in
            let (subject, pattern) = (call.bytes(0), call.bytes(1))
            let escapes = call.arguments.count > 2 ? call.bytes(2) : nil
            return call.boolean { (row) throws(RowError) in
                let escape = escapes.map { $0[row] }
                if let escape, escape.count != 1 {
                    throw RowError("INVALID_ESCAPE_CHAR", "ESCAPE takes one character")
                }
                let like = try cache.pattern(pattern[row], escape?.first ?? UInt8(ascii: "\\"), ignoresCase)
                guard ignoresCase else { return like.matches(subject[row]) }
                let lowered = Array(subject.text(row).lowercased().utf8)
                return lowered.withUnsafeBytes { like.matches($0) }
            }
        }
    }
}

/// Keeps the last LIKE pattern as long as it does not change.
final class LikeCache {
    private var source: [UInt8]?
    private var escape: UInt8 = 0
    private var compiled: LikePattern?

    func pattern(
        _ bytes: UnsafeRawBufferPointer, _ escape: UInt8, _ ignoresCase: Bool
    ) throws(RowError) -> LikePattern {
        if let source, let compiled, self.escape == escape, source.withUnsafeBytes({ UTF8Text.isEqual($0, bytes) }) {
            return compiled
        }
        let text = ignoresCase ? Array(String(decoding: bytes, as: UTF8.self).lowercased().utf8) : Array(bytes)
        let pattern = try LikePattern(text, escape: escape)
        source = Array(bytes)
        self.escape = escape
        compiled = pattern
        return pattern
    }
}
