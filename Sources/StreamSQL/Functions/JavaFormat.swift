import StreamCore

/// Texts as `java.util.Formatter` makes them, for the conversions that SQL values have: `%d %s %x %X %o %c %b %f %e %%
/// %n`, with flags, width, precision and argument numbers. Decimals are no numbers of Java: only `%s` takes them.
struct JavaFormat {
    let zone: TimeZone

    private struct Specifier {
        var argument: Int?
        var flags: Set<UInt8> = []
        var width = 0
        var precision: Int?
        var conversion: UInt8 = 0

        func has(_ flag: Unicode.Scalar) -> Bool { flags.contains(UInt8(ascii: flag)) }
    }

    private static let illegal = RowError("IllegalArgumentException", "the format does not suit its arguments")

    func text(_ format: [UInt8], _ values: [Vector], _ row: Int) throws(RowError) -> String {
        var result: [UInt8] = []
        var index = 0
        var next = 0
        while index < format.count {
            let byte = format[index]
            index += 1
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            let specifier = try Self.specifier(format, &index)
            switch specifier.conversion {
            case UInt8(ascii: "%"): result += Self.padded([UInt8(ascii: "%")], specifier)
            case UInt8(ascii: "n"): result.append(0x0A)
            default:
                let place = specifier.argument ?? next
                if specifier.argument == nil { next += 1 }
                guard values.indices.contains(place) else { throw Self.illegal }
                let value = values[place]
                result += Self.padded(try converted(value.column, row & value.mask, specifier), specifier)
            }
            guard result.count <= BytesWriter.rowMax else {
                throw RowError("COLLECTION_SIZE_LIMIT_EXCEEDED", "the result is too long")
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What stands behind a percent sign.
    private static func specifier(_ format: [UInt8], _ index: inout Int) throws(RowError) -> Specifier {
        var result = Specifier()
        func number() throws(RowError) -> Int? {
            let start = index
            var value = 0
            while index < format.count, format[index].isDigit {
                value = value * 10 + Int(format[index] - 0x30)
                guard value <= 1_000_000 else { throw illegal }
                index += 1
            }
            return index > start ? value : nil
        }
        let start = index
        if let place = try number(), place > 0, index < format.count, format[index] == UInt8(ascii: "$") {
            result.argument = place - 1
            index += 1
        } else {
            index = start
        }
        while index < format.count, "-#+ 0,(".utf8.contains(format[index]) {
            guard result.flags.insert(format[index]).inserted else { throw illegal }
            index += 1
        }
        result.width = try number() ?? 0
        if index < format.count, format[index] == UInt8(ascii: ".") {
            index += 1
            guard let precision = try number() else { throw illegal }
            result.precision = precision
        }
        guard index < format.count else { throw illegal }
        result.conversion = format[index]
        index += 1
        // Flags that need a width, or that exclude each other.
        if result.width == 0, result.has("-") || result.has("0") { throw illegal }
        if result.has("-") && result.has("0") || result.has("+") && result.has(" ") { throw illegal }
        return result
    }

    private func converted(_ column: Column, _ row: Int, _ specifier: Specifier) throws(RowError) -> [UInt8] {
        let isUpper = (0x41...0x5A).contains(specifier.conversion)
        let text = try lowered(column, row, specifier, specifier.conversion | 0x20)
        guard isUpper else { return text }
        guard "SXBCE".utf8.contains(specifier.conversion) else { throw Self.illegal }
        return Array(String(decoding: text, as: UTF8.self).uppercased().utf8)
    }

    private func lowered(
        _ column: Column, _ row: Int, _ specifier: Specifier, _ conversion: UInt8
    ) throws(RowError) -> [UInt8] {
        let isNull = column.isNull(row)
        switch conversion {
        case UInt8(ascii: "s"), UInt8(ascii: "b"):
            var text = "null"
            if conversion == UInt8(ascii: "b") {
                text =
                    if case .boolean(let values) = column { !isNull && values.values[row] ? "true" : "false" } else {
                        isNull ? "false" : "true"
                    }
            } else if !isNull {
                var writer = BytesWriter()
                ValueText(zone: zone).append(column, row, &writer)
                text = writer.arena.string(ByteView(start: 0, length: writer.arena.count))
            }
            guard let precision = specifier.precision else { return Array(text.utf8) }
            return Array(String(text.unicodeScalars.prefix(precision)).utf8)
        case _ where isNull: return Array("null".utf8)
        case UInt8(ascii: "d"):
            guard specifier.precision == nil, Self.integer(column, row) != nil else { throw Self.illegal }
            return Self.signed(DecimalDigits(column, row), fraction: 0, specifier)
        case UInt8(ascii: "x"), UInt8(ascii: "o"):
            guard specifier.precision == nil, let value = Self.integer(column, row) else { throw Self.illegal }
            let radix = conversion == UInt8(ascii: "x") ? 16 : 8
            let prefix = specifier.has("#") ? (radix == 16 ? "0x" : "0") : ""
            return Self.zeroPadded(Array(prefix.utf8), Array(String(value, radix: radix).utf8), specifier)
        case UInt8(ascii: "c"):
            guard let value = Self.integer(column, row), value <= UInt64(UInt32.max),
                let scalar = Unicode.Scalar(UInt32(value))
            else { throw Self.illegal }
            return Array(String(Character(scalar)).utf8)
        case UInt8(ascii: "f"), UInt8(ascii: "e"):
            switch column {
            case .float, .double: break
            default: throw Self.illegal
            }
            if let special = DecimalDigits.special(column, row) {
                return Array(special.replacing("∞", with: "Infinity").utf8)
            }
            var digits = DecimalDigits(column, row)
            let places = min(specifier.precision ?? 6, 1000)
            guard conversion == UInt8(ascii: "e") else {
                digits.round(to: places, isEven: false)
                return Self.signed(digits, fraction: places, specifier)
            }
            return Self.scientific(digits, places, specifier)
        default: throw Self.illegal
        }
    }

    /// The bits of a whole number, of its own width; nil for anything else.
    private static func integer(_ column: Column, _ row: Int) -> UInt64? {
        switch column {
        case .int8(let column): UInt64(UInt8(bitPattern: column.values[row]))
        case .int16(let column): UInt64(UInt16(bitPattern: column.values[row]))
        case .int32(let column): UInt64(UInt32(bitPattern: column.values[row]))
        case .int64(let column): UInt64(bitPattern: column.values[row])
        default: nil
        }
    }

    private static func signed(_ digits: DecimalDigits, fraction: Int, _ specifier: Specifier) -> [UInt8] {
        var body = digits.whole.isEmpty ? [UInt8(0x30)] : digits.whole
        if specifier.has(",") { body = DigitGroups.separated(body, every: 3) }
        if fraction > 0 {
            body += [UInt8(ascii: ".")] + digits.fraction
            body += [UInt8](repeating: 0x30, count: max(0, fraction - digits.fraction.count))
        }
        return withSign(digits.isNegative, body, specifier)
    }

    private static func scientific(_ digits: DecimalDigits, _ places: Int, _ specifier: Specifier) -> [UInt8] {
        let all = digits.whole + digits.fraction
        let zeros = all.prefix { $0 == 0x30 }.count
        var exponent = zeros == all.count ? 0 : digits.whole.count - 1 - zeros
        var mantissa = digits
        mantissa.whole = Array(all.dropFirst(zeros).prefix(1))
        mantissa.fraction = Array(all.dropFirst(zeros + 1))
        mantissa.round(to: places, isEven: false)
        // 9.99 may have become 10.0.
        if mantissa.whole.count > 1 {
            exponent += 1
            mantissa.fraction = Array(([0x30] + mantissa.fraction).prefix(places))
            mantissa.whole = [0x31]
        }
        let power = String(exponent.magnitude)
        let suffix = (exponent < 0 ? "e-" : "e+") + (power.utf8.count < 2 ? "0" : "") + power
        var body = mantissa.whole.isEmpty ? [UInt8(0x30)] : mantissa.whole
        if places > 0 {
            body += [UInt8(ascii: ".")] + mantissa.fraction
            body += [UInt8](repeating: 0x30, count: max(0, places - mantissa.fraction.count))
        }
        return withSign(digits.isNegative, body + Array(suffix.utf8), specifier)
    }

    private static func withSign(_ isNegative: Bool, _ body: [UInt8], _ specifier: Specifier) -> [UInt8] {
        if isNegative, specifier.has("(") { return Array("(".utf8) + body + Array(")".utf8) }
        let sign = isNegative ? "-" : specifier.has("+") ? "+" : specifier.has(" ") ? " " : ""
        return zeroPadded(Array(sign.utf8), body, specifier)
    }

    private static func zeroPadded(_ prefix: [UInt8], _ body: [UInt8], _ specifier: Specifier) -> [UInt8] {
        let missing = specifier.has("0") ? max(0, specifier.width - prefix.count - body.count) : 0
        return prefix + [UInt8](repeating: 0x30, count: missing) + body
    }

    private static func padded(_ text: [UInt8], _ specifier: Specifier) -> [UInt8] {
        let length = text.withUnsafeBytes { UTF8Text.length($0) }
        guard length < specifier.width else { return text }
        let blanks = [UInt8](repeating: 0x20, count: specifier.width - length)
        return specifier.has("-") ? text + blanks : blanks + text
    }
}
