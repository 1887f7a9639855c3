internal import StreamCore

/// Strings and binaries as JSON strings, without their quotes.
enum StringText {
    /// Shares the column's arena, but for strings that need an escape.
    static func escape(_ column: BytesColumn, _ rows: [Int32]) -> Pieces {
        let pieces = Pieces(count: rows.count)
        pieces.isQuoted = true
        guard let base = unsafe column.arena.bytePointer else { return pieces }
        pieces.arena = column.arena
        unsafe rows.withUnsafeBufferPointer { rows in
            unsafe column.views.withUnsafeBufferPointer { views in
                for index in 0..<rows.count {
                    let row = unsafe Int(rows[index])
                    if column.isNull(row) { continue }
                    let view = unsafe views[row]
                    let text = unsafe base + Int(view.start)
                    let length = Int(view.length)
                    if unsafe needsEscape(text, length) {
                        pieces[index] = unsafe escaped(text, length, into: pieces.scratch)
                    } else {
                        pieces[index] = Piece(arena: Int(view.start), length: length)
                    }
                }
            }
        }
        return pieces
    }

    /// Whether there is a quote, a backslash or a control character; looks at eight bytes at a time.
    ///
    /// Reads up to seven bytes behind the text: arenas are followed by more.
    @inline(__always)
    private static func needsEscape(_ text: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        let bytes = unsafe UnsafeRawPointer(text)
        var at = 0
        while at + 8 <= length {
            if unsafe hasSpecial(bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) { return true }
            at += 8
        }
        guard at < length else { return false }
        let mask: UInt64 = (1 &<< UInt64((length - at) * 8)) &- 1
        let word = unsafe bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        return hasSpecial((word & mask) | (0x2020_2020_2020_2020 & ~mask))
    }

    /// The usual test for "some byte is below n" and "some byte is zero" (Hacker's Delight 6-1), without a branch.
    @inline(__always)
    private static func hasSpecial(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let control = (word &- ones &* 0x20) & ~word
        return (control | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & (ones &* 0x80) != 0
    }

    private static func escaped(_ text: UnsafePointer<UInt8>, _ length: Int, into scratch: Scratch) -> Piece {
        unsafe scratch.write(length * 6) { target in
            var cursor = 0
            for at in 0..<length {
                let byte = unsafe text[at]
                let letter = escapeLetter(byte)
                if letter == 0 {
                    unsafe target[cursor] = byte
                    cursor += 1
                    continue
                }
                unsafe target[cursor] = UInt8(ascii: "\\")
                unsafe target[cursor + 1] = letter
                cursor += 2
                guard letter == UInt8(ascii: "u") else { continue }
                unsafe target[cursor] = UInt8(ascii: "0")
                unsafe target[cursor + 1] = UInt8(ascii: "0")
                unsafe target[cursor + 2] = UInt8(ascii: "0") + (byte >> 4)
                // Capital letters, as Jackson writes them.
                let low = byte & 15
                unsafe target[cursor + 3] = low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "A") + low - 10
                cursor += 4
            }
            return cursor
        }
    }

    /// What stands behind the backslash, or 0 where none is needed.
    @inline(__always)
    private static func escapeLetter(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
        case 8: UInt8(ascii: "b")
        case 9: UInt8(ascii: "t")
        case 10: UInt8(ascii: "n")
        case 12: UInt8(ascii: "f")
        case 13: UInt8(ascii: "r")
        case 0..<32: UInt8(ascii: "u")
        default: 0
        }
    }

    // MARK: - Base64

    /// Standard base64 with padding (RFC 4648).
    static func base64(_ column: BytesColumn, _ rows: [Int32]) -> Pieces {
        let pieces = Pieces(count: rows.count)
        pieces.isQuoted = true
        for (index, row) in rows.enumerated() where !column.isNull(Int(row)) {
            let bytes = unsafe column.bytes(Int(row))
            pieces[index] = unsafe pieces.scratch.write((bytes.count + 2) / 3 * 4) { unsafe encode(bytes, to: $0) }
        }
        return pieces
    }

    private static func encode(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var cursor = 0
        var at = 0
        while at < bytes.count {
            let left = bytes.count - at
            var group = unsafe UInt32(bytes[at]) << 16
            if left > 1 { unsafe group |= UInt32(bytes[at + 1]) << 8 }
            if left > 2 { unsafe group |= UInt32(bytes[at + 2]) }
            for place in 0..<4 {
                let sextet = UInt8(truncatingIfNeeded: group >> UInt32(18 - place * 6)) & 63
                unsafe target[cursor + place] = place > left ? UInt8(ascii: "=") : letter(sextet)
            }
            cursor += 4
            at += 3
        }
        return cursor
    }

    private static func letter(_ sextet: UInt8) -> UInt8 {
        switch sextet {
        case 0..<26: UInt8(ascii: "A") + sextet
        case 26..<52: UInt8(ascii: "a") + sextet - 26
        case 52..<62: UInt8(ascii: "0") + sextet - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
