// Finds fields of flat JSON records by their names, as the raw C loops of the peers do: without a parser.
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What stands in front of a value, such as `"ad_id":"`.
package struct FieldStart: Sendable {
    private let text: [UInt8]

    package init(_ text: String) { self.text = Array(text.utf8) }

    /// The place behind the first occurrence.
    package func end(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress, let first = text.first else { return nil }
        var start = 0
        while start + text.count <= bytes.count {
            // Most places are passed over by the library, many bytes at a time.
            guard let found = memchr(base + start, Int32(first), bytes.count - start) else { return nil }
            start = UnsafeRawPointer(found) - base
            guard start + text.count <= bytes.count else { return nil }
            if memcmp(base + start, text, text.count) == 0 { return start + text.count }
            start += 1
        }
        return nil
    }
}

/// The decimal number that begins at a place.
package func number(in bytes: UnsafeRawBufferPointer, at start: Int) -> Int64 {
    var value: Int64 = 0
    for byte in bytes[start...] {
        guard byte >= 0x30, byte <= 0x39 else { break }
        value = value &* 10 &+ Int64(byte - 0x30)
    }
    return value
}
