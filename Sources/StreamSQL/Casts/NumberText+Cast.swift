import StreamCore

/// Numbers as text in the way of Java, and text as numbers in the way of Spark's ANSI casts.
enum NumberCast {
    // MARK: - Reading

    /// A whole number with an optional sign; nil if it is none or does not fit 64 bits.
    static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        let text = bytes.trimmed
        var index = 0
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative || text.first == UInt8(ascii: "+") { index = 1 }
        guard index < text.count else { return nil }
        // Counted downwards: the least value has no positive counterpart.
        var value: Int64 = 0
        while index < text.count {
            let byte = text[index]
            guard byte.isDigit else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.subtractingReportingOverflow(Int64(byte - 0x30))
            if overflow || carried { return nil }
            value = sum
            index += 1
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    static func double(_ bytes: UnsafeRawBufferPointer) -> Double? {
        let text = bytes.trimmed
        guard !text.isEmpty, text.count <= 400 else { return nil }
        if let special = special(text) { return special }
        var digits = text
        // Java allows a type suffix: 1.5d, 2f.
        if let last = text.last, [0x64, 0x44, 0x66, 0x46].contains(last) {
            digits = UnsafeRawBufferPointer(rebasing: text.dropLast())
        }
        // Strict: Double's own reader would take hexadecimal and names.
        let isPlain = digits.allSatisfy { byte in
            byte.isDigit || [UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-")].contains(byte)
                || byte | 0x20 == 0x65
        }
        guard isPlain, digits.contains(where: \.isDigit) else { return nil }
        return Double(String(decoding: digits, as: UTF8.self))
    }

    private static func special(_ text: UnsafeRawBufferPointer) -> Double? {
        guard text.count <= 9, let last = text.last, last.isWordStart else { return nil }
        switch String(decoding: text, as: UTF8.self).lowercased() {
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        case "nan": return .nan
        default: return nil
        }
    }

    static func boolean(_ bytes: UnsafeRawBufferPointer) -> Bool? {
        let text = bytes.trimmed
        guard text.count <= 5 else { return nil }
        switch String(decoding: text, as: UTF8.self).lowercased() {
        case "t", "true", "y", "yes", "1": return true
        case "f", "false", "n", "no", "0": return false
        default: return nil
        }
    }

    // MARK: - Writing

    /// As Java prints: `1.0E7`, `1.0E-4`, `0.1`, `NaN`, `Infinity`.
    static func text(_ value: Double) -> String { java(value.description, value.magnitude, value.isNaN, value < 0) }
    static func text(_ value: Float) -> String {
        java(value.description, Double(value.magnitude), value.isNaN, value < 0)
    }

    private static func java(_ swift: String, _ magnitude: Double, _ isNaN: Bool, _ isNegative: Bool) -> String {
        if isNaN { return "NaN" }
        if magnitude.isInfinite { return isNegative ? "-Infinity" : "Infinity" }
        if magnitude == 0 { return swift.hasPrefix("-") ? "-0.0" : "0.0" }
        let usesExponent = magnitude >= 1e7 || magnitude < 1e-3
        if !usesExponent, !swift.contains("e") { return swift }
        let (digits, exponent) = parts(swift)
        let sign = swift.hasPrefix("-") ? "-" : ""
        if usesExponent {
            return sign + digits.prefix(1) + "." + (digits.count > 1 ? String(digits.dropFirst()) : "0")
                + "E\(exponent)"
        }
        let zeros = String(repeating: "0", count: max(0, -exponent - 1))
        return sign + "0." + zeros + digits
    }

    /// Significant digits without zeros at either end, and the power of ten of the first.
    private static func parts(_ text: String) -> (digits: String, exponent: Int) {
        let halves = text.drop { $0 == "-" }.split(separator: "e", omittingEmptySubsequences: false)
        var exponent = halves.count > 1 ? Int(halves[1]) ?? 0 : 0
        let mantissa = halves[0].split(separator: ".", omittingEmptySubsequences: false)
        let whole = mantissa[0]
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        var digits = Array((whole + fraction).utf8)
        exponent += whole.utf8.count - 1
        while digits.count > 1, digits.first == 0x30 {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
        return (String(decoding: digits, as: UTF8.self), exponent)
    }
}
