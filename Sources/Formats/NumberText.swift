/// Writes numbers as Java prints them. Each function returns how many bytes it wrote.
enum NumberText {
    static let integerBytesMax = 20
    static let realBytesMax = 32
    /// Sign, point and 39 digits, or zeros behind the point.
    static let decimalBytesMax = 48

    @inline(__always)
    static func write(_ value: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        guard value < 0 else { return unsafe write(UInt64(value), to: target) }
        unsafe target[0] = UInt8(ascii: "-")
        return unsafe write(value.magnitude, to: target + 1) + 1
    }

    @inline(__always)
    static func write(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let count = digitCount(value)
        unsafe writeDigits(value, count, to: target)
        return count
    }

    /// The last `count` digits, zeros in front.
    @inline(__always)
    static func writeDigits(_ value: UInt64, _ count: Int, to target: UnsafeMutablePointer<UInt8>) {
        var rest = value
        var place = count
        while place > 0 {
            place -= 1
            unsafe target[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    @inline(__always)
    static func digitCount(_ value: UInt64) -> Int {
        var count = 1
        var limit: UInt64 = 10
        while value >= limit {
            count += 1
            if count == 20 { break }
            limit &*= 10
        }
        return count
    }

    /// Shortest digits that read back as the same value; `1.0E7` and `1.0E-4` outside of 10^-3 ..< 10^7.
    static func write(_ value: Double, to target: UnsafeMutablePointer<UInt8>) -> Int {
        unsafe layOut(value.description, to: target)
    }

    static func write(_ value: Float, to target: UnsafeMutablePointer<UInt8>) -> Int {
        unsafe layOut(value.description, to: target)
    }

    /// Takes Swift's shortest form apart (`-1.5e-07`, `100.0`) and lays its digits out as Java does.
    private static func layOut(_ shortest: String, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var digits = InlineDigits()
        var isNegative = false
        var pointShift = 0
        var exponent = 0
        var isBehindPoint = false
        var isExponent = false
        var isExponentNegative = false
        for byte in shortest.utf8 {
            switch byte {
            case UInt8(ascii: "-"): if isExponent { isExponentNegative = true } else { isNegative = true }
            case UInt8(ascii: "e"): isExponent = true
            case UInt8(ascii: "."): isBehindPoint = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if isExponent {
                    exponent = exponent * 10 + Int(byte - 48)
                } else {
                    digits.append(byte)
                    if isBehindPoint { pointShift -= 1 }
                }
            default: break
            }
        }
        // The value is 0.d1d2d3… * 10^magnitude.
        let magnitude = digits.count + pointShift + (isExponentNegative ? -exponent : exponent) - digits.trim()
        var cursor = 0
        func put(_ byte: UInt8) {
            unsafe target[cursor] = byte
            cursor += 1
        }
        if isNegative { put(UInt8(ascii: "-")) }
        if digits.count == 0 || (magnitude > -3 && magnitude <= 7) {
            let magnitude = digits.count == 0 ? 1 : magnitude
            if magnitude <= 0 { put(48) }
            for place in 0..<max(magnitude, 0) { put(digits[place]) }
            put(UInt8(ascii: "."))
            for _ in 0..<max(-magnitude, 0) { put(48) }
            for place in max(magnitude, 0)..<max(digits.count, max(magnitude, 0) + 1) { put(digits[place]) }
            return cursor
        }
        put(digits[0])
        put(UInt8(ascii: "."))
        for place in 1..<max(digits.count, 2) { put(digits[place]) }
        put(UInt8(ascii: "E"))
        return unsafe cursor + write(Int64(magnitude - 1), to: target + cursor)
    }

    /// All digits of the scale, never an exponent.
    static func write(_ unscaled: Int128, scale: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var digits = InlineDigits()
        var rest = unscaled.magnitude
        let billion: UInt128 = 1_000_000_000_000_000_000
        var groups: (UInt64, UInt64, UInt64) = (0, 0, 0)
        groups.2 = UInt64(truncatingIfNeeded: rest % billion)
        rest /= billion
        groups.1 = UInt64(truncatingIfNeeded: rest % billion)
        groups.0 = UInt64(truncatingIfNeeded: rest / billion)
        digits.append(groups.0, 4)
        digits.append(groups.1, 18)
        digits.append(groups.2, 18)
        let scale = min(max(scale, 0), 38)
        var first = 0
        while first < digits.count - scale - 1, digits[first] == 48 { first += 1 }
        var cursor = 0
        if unscaled < 0 {
            unsafe target[0] = UInt8(ascii: "-")
            cursor = 1
        }
        for place in first..<digits.count {
            if place == digits.count - scale {
                unsafe target[cursor] = UInt8(ascii: ".")
                cursor += 1
            }
            unsafe target[cursor] = digits[place]
            cursor += 1
        }
        return cursor
    }
}

/// Up to 40 digits without an allocation; zeros behind the last. Leading zeros can be trimmed.
private struct InlineDigits {
    private var bytes: InlineArray<48, UInt8> = .init(repeating: 48)
    private var first = 0
    private var end = 0

    var count: Int { end - first }
    subscript(index: Int) -> UInt8 { first + index < 48 ? bytes[first + index] : 48 }

    mutating func append(_ digit: UInt8) {
        guard end < 48 else { return }
        bytes[end] = digit
        end += 1
    }

    mutating func append(_ value: UInt64, _ width: Int) {
        var rest = value
        for place in stride(from: end + width - 1, through: end, by: -1) {
            bytes[place] = 48 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        end += width
    }

    /// Drops zeros at both ends and gives how many were dropped in front.
    mutating func trim() -> Int {
        let before = first
        while first < end, bytes[first] == 48 { first += 1 }
        while end > first, bytes[end - 1] == 48 { end -= 1 }
        return first - before
    }
}
