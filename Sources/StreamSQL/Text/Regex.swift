import CPCRE2
import StreamCore

/// A compiled regular expression, near to Java's. Matching has limits: a pattern that runs wild is an error of the row.
/// Not shared between threads.
final class Regex {
    private let code: OpaquePointer
    private let matchData: OpaquePointer
    private let context: OpaquePointer
    private let stack: OpaquePointer?
    /// Capture groups, without the whole match.
    let groupCount: Int

    /// - Throws: `INVALID_PARAMETER_VALUE.PATTERN` for a pattern that cannot be read.
    init(_ pattern: String, isCaseInsensitive: Bool = false) throws(RowError) {
        var errorCode: Int32 = 0
        var errorOffset = 0
        // Invalid UTF-8 in a subject is then no match instead of undefined behaviour.
        var options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF
        if isCaseInsensitive { options |= PCRE2_CASELESS }
        let bytes = Array(pattern.utf8)
        let settings = pcre2_compile_context_create_8(nil)
        defer { pcre2_compile_context_free_8(settings) }
        pcre2_set_newline_8(settings, UInt32(PCRE2_NEWLINE_ANYCRLF))
        pcre2_set_parens_nest_limit_8(settings, 100)
        guard let code = pcre2_compile_8(bytes, bytes.count, options, &errorCode, &errorOffset, settings) else {
            throw RowError("INVALID_PARAMETER_VALUE.PATTERN", "this is no valid regular expression")
        }
        // May fail: a hardened service has no memory that is both writable and executable (-48). Matching then takes
        // the interpreter, which is slower, not wrong.
        _ = pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        guard let matchData = pcre2_match_data_create_from_pattern_8(code, nil),
            let context = pcre2_match_context_create_8(nil)
        else { preconditionFailure("out of memory") }
        pcre2_set_match_limit_8(context, 2_000_000)
        pcre2_set_depth_limit_8(context, 10_000)
        pcre2_set_heap_limit_8(context, 64 << 10)
        let stack = pcre2_jit_stack_create_8(32 << 10, 1 << 20, nil)
        pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
        var count: UInt32 = 0
        _ = pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
        self.code = code
        self.matchData = matchData
        self.context = context
        self.stack = stack
        groupCount = Int(count)
    }

    deinit {
        pcre2_match_data_free_8(matchData)
        pcre2_match_context_free_8(context)
        if let stack { pcre2_jit_stack_free_8(stack) }
        pcre2_code_free_8(code)
    }

    /// Finds the first match at or behind a byte; `range(of:)` then tells where.
    /// - Throws: `REGEX_LIMIT_EXCEEDED` when the search took too long.
    func search(_ subject: UnsafeRawBufferPointer, from start: Int = 0) throws(RowError) -> Bool {
        var empty: UInt8 = 0
        let result = withUnsafePointer(to: &empty) { placeholder in
            pcre2_match_8(
                code, subject.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? placeholder, subject.count, start, 0,
                matchData, context)
        }
        if result >= 0 { return true }
        if result == PCRE2_ERROR_NOMATCH { return false }
        throw RowError("REGEX_LIMIT_EXCEEDED", "matching the regular expression took too long or too deep")
    }

    /// Where a group matched in the last successful search; group 0 is the whole match; nil if it took no part.
    func range(of group: Int) -> Range<Int>? {
        guard group >= 0, group <= groupCount, let places = pcre2_get_ovector_pointer_8(matchData) else { return nil }
        let start = places[2 * group]
        let end = places[2 * group + 1]
        guard start != Int.max.magnitude * 2 + 1, end >= start, end <= UInt(Int.max) else { return nil }
        return Int(start)..<Int(end)
    }
}

extension Regex {
    /// Calls `body` for each match from the left, as Java's `find()`: behind an empty match the search goes on one
    /// character further. `body` may ask for groups and says whether to go on.
    func forEachMatch(
        _ subject: UnsafeRawBufferPointer, from start: Int = 0, _ body: (Range<Int>) throws(RowError) -> Bool
    ) throws(RowError) {
        var position = start
        while position <= subject.count, try search(subject, from: position) {
            // `\K` may put a match before the place where its search began; nothing sensible follows.
            guard let match = range(of: 0), match.lowerBound >= position, try body(match) else { return }
            position = match.upperBound
            guard match.isEmpty else { continue }
            guard position < subject.count else { return }
            position = UTF8Text.nextPoint(subject, position)
        }
    }
}

/// Regular expressions of a function call: compiled once for a constant pattern, else kept as long as it does not
/// change.
final class RegexCache {
    private var pattern: [UInt8]?
    private var result: Result<Regex, RowError>?

    func regex(_ bytes: UnsafeRawBufferPointer) throws(RowError) -> Regex {
        if let pattern, let result, pattern.withUnsafeBytes({ UTF8Text.isEqual($0, bytes) }) { return try result.get() }
        let compiled: Result<Regex, RowError>
        do throws(RowError) {
            compiled = .success(try Regex(String(decoding: bytes, as: UTF8.self)))
        } catch {
            compiled = .failure(error)
        }
        pattern = Array(bytes)
        result = compiled
        return try compiled.get()
    }
}
