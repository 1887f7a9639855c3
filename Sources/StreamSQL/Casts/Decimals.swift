import StreamCore

/// Exact decimal arithmetic on unscaled 128-bit values; intermediate results have 256 bits.
enum Decimals {
    static let precisionMax = 38

    /// 10^0 … 10^38.
    static let powers: [Int128] = (0...38).map { exponent in (0..<exponent).reduce(Int128(1)) { value, _ in value * 10 }
    }

    static func power(_ exponent: Int) -> Int128? { exponent >= 0 && exponent <= 38 ? powers[exponent] : nil }

    /// Decimal digits of a magnitude; 0 for zero.
    static func digitCount(_ value: Int128) -> Int {
        let magnitude = value.magnitude
        return magnitude == 0 ? 0 : (powers.firstIndex { $0.magnitude > magnitude } ?? 39)
    }

    /// Whether a value has at most `precision` digits.
    @inline(__always)
    static func fits(_ value: Int128, _ precision: Int) -> Bool { value.magnitude < powers[precision].magnitude }

    /// Moves a value to another scale, half away from zero; nil if it does not fit 128 bits.
    static func rescale(_ value: Int128, from: Int, to: Int) -> Int128? {
        if from == to { return value }
        if to > from {
            guard let factor = power(to - from) else { return value == 0 ? 0 : nil }
            let (result, overflow) = value.multipliedReportingOverflow(by: factor)
            return overflow ? nil : result
        }
        guard let divisor = power(from - to) else { return 0 }
        return divideHalfUp(value, divisor)
    }

    static func divideHalfUp(_ value: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        guard remainder.magnitude >= divisor.magnitude - remainder.magnitude else { return quotient }
        return (value < 0) == (divisor < 0) ? quotient + 1 : quotient - 1
    }

    /// Like `rescale`, and nil if the result has more than `precision` digits.
    static func fit(_ value: Int128, scale: Int, precision: Int, to target: Int) -> Int128? {
        guard let moved = rescale(value, from: scale, to: target), fits(moved, precision) else { return nil }
        return moved
    }

    /// `a × b ÷ c`, half away from zero, or nil if the result does not fit. `c` is not zero.
    static func multiplyDivide(_ a: Int128, _ b: Int128, _ c: Int128) -> Int128? {
        let isNegative = ((a < 0) != (b < 0)) != (c < 0)
        let product = a.magnitude.multipliedFullWidth(by: b.magnitude)
        let divisor = c.magnitude
        guard product.high < divisor else { return nil }
        let (quotient, remainder) =
            product.high == 0
            ? product.low.quotientAndRemainder(dividingBy: divisor)
            : WideDivision.divide(product.high, product.low, divisor)
        let rounded = remainder >= divisor - remainder ? quotient &+ 1 : quotient
        guard rounded <= Int128.max.magnitude else { return nil }
        return isNegative ? -Int128(rounded) : Int128(rounded)
    }

    /// The remainder with the sign of the left operand; both at scales of their own, the result at the greater one.
    static func remainder(_ a: Int128, _ aScale: Int, _ b: Int128, _ bScale: Int) -> Int128? {
        let scale = max(aScale, bScale)
        if let x = rescale(a, from: aScale, to: scale), let y = rescale(b, from: bScale, to: scale) { return x % y }
        // One operand overflows at the common scale: if it is the divisor, the dividend is smaller and remains.
        guard let x = rescale(a, from: aScale, to: scale) else {
            var rest = a % b
            for _ in 0..<(scale - aScale) { rest = Int128(truncatingIfNeeded: (rest.magnitude * 10) % b.magnitude) }
            return a < 0 ? -rest : rest
        }
        return x
    }

    /// Compares values of different scales exactly.
    static func isLess(_ a: Int128, _ aScale: Int, _ b: Int128, _ bScale: Int) -> Bool {
        let scale = max(aScale, bScale)
        let x = rescale(a, from: aScale, to: scale)
        let y = rescale(b, from: bScale, to: scale)
        if let x, let y { return x < y }
        return x == nil ? a < 0 : b > 0
    }

    static func double(_ value: Int128, scale: Int) -> Double {
        // Short values divide exactly by an exact power; long ones go through their text, as Java's BigDecimal does.
        if value.magnitude < 1 << 53, scale <= 22 { return Double(Int64(value)) / Double(powers[scale]) }
        return Double(text(value, scale: scale)) ?? 0
    }

    /// `-1.50`
    static func text(_ value: Int128, scale: Int) -> String {
        guard scale > 0 else { return String(value) }
        var digits = String(value.magnitude)
        if digits.utf8.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits }
        let point = digits.index(digits.endIndex, offsetBy: -scale)
        return (value < 0 ? "-" : "") + digits[..<point] + "." + digits[point...]
    }
}

/// 256 by 128 bit division, one bit at a time: only for products beyond 38 digits.
enum WideDivision {
    /// `high < divisor`, so the quotient has 128 bits.
    static func divide(_ high: UInt128, _ low: UInt128, _ divisor: UInt128) -> (UInt128, UInt128) {
        var rest = high
        var quotient: UInt128 = 0
        for bit in stride(from: 127, through: 0, by: -1) {
            let carry = rest >> 127
            rest = rest << 1 | (low >> UInt128(bit)) & 1
            quotient <<= 1
            if carry == 1 || rest >= divisor {
                rest = rest &- divisor
                quotient |= 1
            }
        }
        return (quotient, rest)
    }
}

/// Reading decimals.
enum DecimalText {
    /// Digits with an optional sign, point and exponent; at most 38 significant digits once the scale is applied,
    /// further fraction digits are rounded half up. Nil if it is no number, or too long to hold.
    static func parse(_ text: String) -> (unscaled: Int128, scale: Int)? { parse(Array(text.utf8)[...]) }

    static func parse(_ bytes: ArraySlice<UInt8>) -> (unscaled: Int128, scale: Int)? {
        var index = bytes.startIndex
        let isNegative = index < bytes.endIndex && bytes[index] == UInt8(ascii: "-")
        if isNegative || (index < bytes.endIndex && bytes[index] == UInt8(ascii: "+")) { index += 1 }
        var value: Int128 = 0
        var scale = 0
        var digits = 0
        var dropped = 0
        var roundsUp = false
        var hasPoint = false
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else if byte.isDigit {
                digits += 1
                if dropped == 0, value < Decimals.powers[37] {
                    value = value * 10 + Int128(byte - 0x30)
                    if hasPoint { scale += 1 }
                } else {
                    if dropped == 0 { roundsUp = byte >= 0x35 }
                    dropped += 1
                    if hasPoint { scale += 1 }
                }
            } else {
                break
            }
            index += 1
        }
        guard digits > 0 else { return nil }
        if index < bytes.endIndex {
            guard bytes[index] | 0x20 == UInt8(ascii: "e"), let exponent = exponent(bytes[(index + 1)...]) else {
                return nil
            }
            scale -= exponent
        }
        if roundsUp { value += 1 }
        scale -= dropped
        if scale < 0 {
            if value == 0 { return (0, 0) }
            guard let moved = Decimals.rescale(value, from: 0, to: -scale), Decimals.fits(moved, 38) else { return nil }
            value = moved
            scale = 0
        } else if scale > 38 {
            value = Decimals.rescale(value, from: scale, to: 38) ?? 0
            scale = 38
        }
        return (isNegative ? -value : value, scale)
    }

    private static func exponent(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard !bytes.isEmpty, let value = Int(String(decoding: bytes, as: UTF8.self)), abs(value) < 10_000 else {
            return nil
        }
        return value
    }
}
