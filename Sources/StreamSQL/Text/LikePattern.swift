import StreamCore

/// A LIKE pattern: `%` is any text, `_` one character, everything else itself.
struct LikePattern {
    private enum Step: Equatable {
        case text([UInt8])
        case anyCharacter
        case anyText
    }

    private let steps: [Step]

    /// - Throws: Spark's error for an escape character that escapes nothing.
    init(_ pattern: [UInt8], escape: UInt8 = UInt8(ascii: "\\")) throws(RowError) {
        var steps: [Step] = []
        var text: [UInt8] = []
        var index = 0
        func flush() {
            if !text.isEmpty { steps.append(.text(text)) }
            text = []
        }
        while index < pattern.count {
            let byte = pattern[index]
            index += 1
            if byte == escape {
                guard index < pattern.count else {
                    throw RowError("INVALID_FORMAT.ESC_AT_THE_END", "the LIKE pattern ends in its escape character")
                }
                let escaped = pattern[index]
                guard escaped == UInt8(ascii: "%") || escaped == UInt8(ascii: "_") || escaped == escape else {
                    throw RowError("INVALID_FORMAT.ESC_IN_THE_MIDDLE", "the LIKE pattern escapes an ordinary character")
                }
                text.append(escaped)
                index += 1
            } else if byte == UInt8(ascii: "%") {
                flush()
                if steps.last != .anyText { steps.append(.anyText) }
            } else if byte == UInt8(ascii: "_") {
                flush()
                steps.append(.anyCharacter)
            } else {
                text.append(byte)
            }
        }
        flush()
        self.steps = steps
    }

    /// Linear for patterns without `_`; at worst length times pattern.
    func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        var step = 0
        // Where to go on from if what follows the last `%` does not match.
        var retryStep = -1
        var retryOffset = 0
        while true {
            if step == steps.count {
                if offset == bytes.count { return true }
            } else if steps[step] == .anyText {
                if step + 1 == steps.count { return true }
                retryStep = step + 1
                retryOffset = offset
                step += 1
                continue
            } else if let next = consume(steps[step], bytes, offset) {
                offset = next
                step += 1
                continue
            }
            guard retryStep >= 0, retryOffset < bytes.count else { return false }
            retryOffset = skipToCandidate(bytes, UTF8Text.nextPoint(bytes, retryOffset), steps[retryStep])
            offset = retryOffset
            step = retryStep
        }
    }

    private func consume(_ step: Step, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int? {
        switch step {
        case .text(let text):
            guard offset + text.count <= bytes.count else { return nil }
            let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + text.count])
            return text.withUnsafeBytes { UTF8Text.isEqual($0, part) } ? offset + text.count : nil
        case .anyCharacter: return offset < bytes.count ? UTF8Text.nextPoint(bytes, offset) : nil
        case .anyText: return offset
        }
    }

    private func skipToCandidate(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ step: Step) -> Int {
        guard case .text(let text) = step else { return offset }
        return text.withUnsafeBytes { UTF8Text.find($0, in: bytes, from: offset) } ?? bytes.count
    }
}

extension UTF8Text {
    @inline(__always)
    static func nextPoint(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
        var next = offset + 1
        while next < bytes.count, bytes[next] & 0xC0 == 0x80 { next += 1 }
        return next
    }
}
