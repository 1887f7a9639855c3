import StreamCore

/// `format_number`, `format_string` and `printf`.
enum NumberFormatFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction(
            "format_number",
            .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                if [.string, .null].contains(typing.type(0)) { try typing.coerce(0, to: .double) }
                guard Coercion.isNumeric(typing.type(0)) else { throw typing.mismatch(0, wanted: "NUMERIC") }
                if typing.type(1) != .string { try typing.coerce(1, to: .int32) }
                return ResultType(.string)
            }
        ) { formatNumber($0) },
        ScalarFunction(
            "format_string", aliases: ["printf"],
            .custom(1...Int.max) { (typing: inout CallTyping) throws(SyntaxIssue) in
                try typing.coerce(0, to: .string)
                return ResultType(.string)
            }, propagatesNulls: false
        ) { call in
            let format = call.bytes(0)
            let values = Array(call.arguments.dropFirst())
            return call.text { (row) throws(RowError) in
                if format.isNull(row) { return nil }
                return try JavaFormat(zone: call.context.zone).text(Array(format[row]), values, row)
            }
        },
    ]

    private static func formatNumber(_ call: Call) -> Column {
        let number = call.arguments[0]
        let patterns = call.arguments[1].column.type == .string ? call.bytes(1) : nil
        let digits = patterns == nil ? call.int32s(1) : nil
        return call.text { (row) throws(RowError) in
            let pattern: GroupedPattern
            if let patterns {
                pattern = try GroupedPattern(patterns.text(row))
            } else {
                let places = Int(digits?[row] ?? 0)
                if places < 0 { return nil }
                pattern = GroupedPattern(fraction: min(places, 340))
            }
            switch DecimalDigits.special(number.column, row & number.mask) {
            case .some(let text): return text
            case nil:
                var value = DecimalDigits(number.column, row & number.mask)
                value.round(to: pattern.fractionMax, isEven: true)
                return pattern.text(value)
            }
        }
    }
}

/// A number as decimal digits: what the formats of Java work on.
struct DecimalDigits {
    var isNegative = false
    /// ASCII, without zeros at the front; empty for zero.
    var whole: [UInt8] = []
    var fraction: [UInt8] = []

    init(_ column: Column, _ row: Int) {
        self.init(nil)
        switch column {
        case .int8(let column): read(String(column.values[row]))
        case .int16(let column): read(String(column.values[row]))
        case .int32(let column): read(String(column.values[row]))
        case .int64(let column): read(String(column.values[row]))
        case .float(let column): self = DecimalDigits(ShortestDecimal(column.values[row].description))
        case .double(let column): self = DecimalDigits(ShortestDecimal(column.values[row].description))
        case .decimal(let column): read(Decimals.text(column.unscaled.values[row], scale: column.scale))
        default: break
        }
    }

    init(_ shortest: ShortestDecimal?) {
        // Java writes -0, also where a small negative number is rounded to it.
        isNegative = shortest?.isNegative ?? false
        guard let shortest, shortest.mantissa != 0 else { return }
        var digits = Array(String(shortest.mantissa).utf8)
        // Exponents of doubles are small: at most some 340 zeros.
        if shortest.exponent >= 0 {
            whole = digits + [UInt8](repeating: 0x30, count: shortest.exponent)
        } else {
            let missing = -shortest.exponent - digits.count
            if missing > 0 { digits = [UInt8](repeating: 0x30, count: missing) + digits }
            whole = Array(digits.dropLast(-shortest.exponent))
            fraction = Array(digits.suffix(-shortest.exponent))
        }
    }

    private mutating func read(_ text: String) {
        var digits = text.utf8[...]
        isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        let parts = digits.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        whole = Array(parts[0].drop { $0 == 0x30 })
        fraction = parts.count > 1 ? Array(parts[1]) : []
    }

    /// How NaN and infinities are written.
    static func special(_ column: Column, _ row: Int) -> String? {
        let value: Double
        switch column {
        case .float(let column): value = Double(column.values[row])
        case .double(let column): value = column.values[row]
        default: return nil
        }
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-∞" : "∞") : nil
    }

    /// Keeps so many digits behind the point.
    mutating func round(to places: Int, isEven: Bool) {
        guard fraction.count > places else { return }
        let dropped = fraction[places...]
        let isExactHalf = dropped.first == 0x35 && dropped.dropFirst().allSatisfy { $0 == 0x30 }
        let last = places > 0 ? fraction[places - 1] : whole.last ?? 0x30
        let roundsUp = (dropped.first ?? 0x30) >= 0x35 && !(isExactHalf && isEven && last % 2 == 0)
        fraction = Array(fraction[..<places])
        guard roundsUp else { return }
        var digits = whole + fraction
        var index = digits.count - 1
        while index >= 0, digits[index] == 0x39 {
            digits[index] = 0x30
            index -= 1
        }
        if index >= 0 { digits[index] += 1 } else { digits.insert(0x31, at: 0) }
        whole = Array(digits.dropLast(places))
        fraction = Array(digits.suffix(places))
    }
}

/// The part of Java's `DecimalFormat` patterns that numbers need: `#,##0.00`.
struct GroupedPattern {
    private var wholeMin = 1
    private var fractionMin: Int
    private(set) var fractionMax: Int
    private var group = 3

    /// `#,###,##0.` and so many zeros.
    init(fraction: Int) {
        fractionMin = fraction
        fractionMax = fraction
    }

    init(_ pattern: String) throws(RowError) {
        // An empty pattern is `#,##0`.
        let bytes = Array((pattern.isEmpty ? "#,##0" : pattern).utf8)
        guard bytes.count <= 400, bytes.allSatisfy({ "#0,.".utf8.contains($0) }) else { throw Self.unreadable }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2 else { throw Self.unreadable }
        wholeMin = parts[0].count { $0 == 0x30 }
        let tail = parts.count > 1 ? parts[1] : []
        guard !tail.contains(UInt8(ascii: ",")) else { throw Self.unreadable }
        fractionMin = tail.count { $0 == 0x30 }
        fractionMax = tail.count
        group = parts[0].lastIndex(of: UInt8(ascii: ",")).map { parts[0].endIndex - 1 - $0 } ?? 0
    }

    private static let unreadable = RowError(
        "INVALID_PARAMETER_VALUE.PATTERN", "the number format takes only '#', '0', ',' and '.'")

    /// The value was rounded to `fractionMax` before.
    func text(_ value: DecimalDigits) -> String {
        var whole = value.whole
        while whole.count < wholeMin { whole.insert(0x30, at: 0) }
        var fraction = value.fraction
        while fraction.count < fractionMin { fraction.append(0x30) }
        while fraction.count > fractionMin, fraction.last == 0x30 { fraction.removeLast() }
        var result: [UInt8] = value.isNegative ? [UInt8(ascii: "-")] : []
        result += DigitGroups.separated(whole, every: group)
        if whole.isEmpty && fraction.isEmpty { result.append(0x30) }
        if !fraction.isEmpty { result += [UInt8(ascii: ".")] + fraction }
        return String(decoding: result, as: UTF8.self)
    }
}

enum DigitGroups {
    /// Commas between groups, counted from the right.
    static func separated(_ digits: [UInt8], every size: Int) -> [UInt8] {
        guard size > 0 else { return digits }
        var result: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % size == 0 { result.append(UInt8(ascii: ",")) }
            result.append(digit)
        }
        return result
    }
}
