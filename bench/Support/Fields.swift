// Finds fields of flat JSON records by their names, as the raw C loops of the peers do: without a parser.

/// What stands in front of a value, such as `"ad_id":"`.
///
/// Found by Horspool's rule (Practical fast searching in strings, 1980): the byte under the text's last one says how
/// far the text may move on, so that most bytes are never looked at.
package struct FieldStart: Sendable {
    private let text: [UInt8]
    /// For each byte: how far the text moves on where that byte is under its end.
    private let shifts: [UInt8]

    /// - Parameter text: 1 to 255 bytes.
    package init(_ text: String) {
        let bytes = Array(text.utf8)
        precondition((1...255).contains(bytes.count), "a field's start has 1 to 255 bytes")
        var shifts = [UInt8](repeating: UInt8(bytes.count), count: 256)
        for (place, byte) in bytes.dropLast().enumerated() { shifts[Int(byte)] = UInt8(bytes.count - 1 - place) }
        self.text = bytes
        self.shifts = shifts
    }

    /// The place behind the first occurrence.
    package func end(in bytes: UnsafeRawBufferPointer) -> Int? {
        let last = text.count - 1
        var end = last
        while end < bytes.count {
            let byte = bytes[end]
            if byte == text[last], matches(bytes, at: end - last) { return end + 1 }
            end += Int(shifts[Int(byte)])
        }
        return nil
    }

    private func matches(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Bool {
        for place in text.indices where bytes[start + place] != text[place] { return false }
        return true
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
