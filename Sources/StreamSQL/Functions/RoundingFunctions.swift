import Glibc
import StreamCore

/// `round`, `bround`, `ceil`, `floor`, with an optional number of digits behind the point (or, negative, before it).
enum RoundingFunctions {
    static let all: [ScalarFunction] = [
        rounding("round", .halfUp), rounding("bround", .halfEven),
        limit("ceil", aliases: ["ceiling"], .up), limit("floor", .down),
    ]

    private static func rounding(_ name: String, _ mode: RoundingMode) -> ScalarFunction {
        ScalarFunction(
            name,
            .custom(1...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                if [.string, .null].contains(typing.type(0)) { try typing.coerce(0, to: .double) }
                guard Coercion.isNumeric(typing.type(0)) else { throw typing.mismatch(0, wanted: "NUMERIC") }
                let digits = try digits(&typing)
                return ResultType(roundedType(typing.type(0), digits))
            }, propagatesNulls: true
        ) { call in Rounding(mode: mode, digits: fixedDigits(call)).evaluate(call) }
    }

    private static func limit(_ name: String, aliases: [String] = [], _ mode: RoundingMode) -> ScalarFunction {
        ScalarFunction(
            name, aliases: aliases,
            .custom(1...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                if [.string, .null].contains(typing.type(0)) { try typing.coerce(0, to: .double) }
                guard Coercion.isNumeric(typing.type(0)) else { throw typing.mismatch(0, wanted: "NUMERIC") }
                guard typing.count > 1 else { return try wholeLimit(&typing) }
                let digits = try digits(&typing)
                if !Coercion.isDecimal(typing.type(0)) {
                    // As Spark: with a number of digits the result is a decimal.
                    let wide: DataType = .decimal(precision: 30, scale: 15)
                    typing.arguments[0] = typing.arguments[0].cast(to: Coercion.decimal(for: typing.type(0)) ?? wide)
                }
                return ResultType(roundedType(typing.type(0), digits))
            }
        ) { call in Rounding(mode: mode, digits: fixedDigits(call)).evaluate(call) }
    }

    private static func wholeLimit(_ typing: inout CallTyping) throws(SyntaxIssue) -> ResultType {
        if case .decimal(let precision, let scale) = typing.type(0) {
            return ResultType(.decimal(precision: min(38, max(1, precision - scale + 1)), scale: 0))
        }
        typing.arguments[0] = typing.arguments[0].cast(to: Coercion.isInteger(typing.type(0)) ? .int64 : .double)
        return ResultType(.int64)
    }

    /// The constant second argument.
    private static func digits(_ typing: inout CallTyping) throws(SyntaxIssue) -> Int {
        guard typing.count > 1 else { return 0 }
        try typing.coerce(1, to: .int32)
        let node = PlanCompiler(zone: typing.zone).node(typing.arguments[1])
        guard let datum = node.constant?.datum(0) else {
            throw typing.issue(
                "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the digits of '\(typing.name)' must be a constant", at: 1)
        }
        if case .integer(let digits) = datum { return Int(digits) }
        return 0
    }

    private static func fixedDigits(_ call: Call) -> Int { call.arguments.count > 1 ? Int(call.int32s(1)[0]) : 0 }

    private static func roundedType(_ type: DataType, _ digits: Int) -> DataType {
        guard case .decimal(let precision, let scale) = type else { return type }
        // Rounding may need one digit more before the point: 9.9 becomes 10.
        let whole = precision - scale + 1
        if digits < 0 { return .decimal(precision: min(38, max(whole, 1 - max(digits, -38))), scale: 0) }
        let kept = min(scale, digits)
        return .decimal(precision: min(38, whole + kept), scale: kept)
    }
}

enum RoundingMode: Sendable { case halfUp, halfEven, up, down }

/// Rounding of every number type to so many digits.
struct Rounding {
    let mode: RoundingMode
    let digits: Int

    func evaluate(_ call: Call) -> Column {
        switch call.arguments[0].column {
        case .int8: return .int8(integers(call, call.int8s(0)))
        case .int16: return .int16(integers(call, call.int16s(0)))
        case .int32: return .int32(integers(call, call.int32s(0)))
        case .int64: return .int64(integers(call, call.int64s(0)))
        case .float:
            let value = call.floats(0)
            return .float(call.fixed(0) { rounded(value[$0]) })
        case .double:
            let value = call.doubles(0)
            guard call.type == .int64 else { return call.double { rounded(value[$0]) } }
            return call.int64 { Self.saturated(mode == .up ? value[$0].rounded(.up) : value[$0].rounded(.down)) }
        case .decimal: return decimals(call)
        default: return call.nothing()
        }
    }

    /// As Java turns doubles into longs: NaN is 0, what is too large becomes the largest.
    private static func saturated(_ value: Double) -> Int64 {
        value.isNaN ? 0 : value >= 0x1p63 ? .max : value < -0x1p63 ? .min : Int64(value)
    }

    private func integers<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ call: Call, _ input: FixedInput<Value>
    ) -> FixedColumn<Value> {
        guard digits < 0 else { return call.dense { input[$0] } }
        let overflow = RowError("ARITHMETIC_OVERFLOW", "the rounded value does not fit \(call.type.name.uppercased())")
        return call.fixed(0) { (row) throws(RowError) in
            guard let power = Decimals.power(-digits) else { return 0 }
            guard let value = Value(exactly: divided(Int128(input[row]), power) * power) else { throw overflow }
            return value
        }
    }

    private func decimals(_ call: Call) -> Column {
        guard case .decimal(let precision, let scale) = call.type else { return call.nothing() }
        let value = call.decimals(0)
        let places = call.scale(0) - min(digits, call.scale(0))
        let overflow = RowError(
            "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
            "the rounded value does not fit \(call.type.name.uppercased())")
        return call.decimal { (row) throws(RowError) in
            // Beyond 38 digits nothing is left but, upwards or downwards, one unit that no decimal holds.
            guard let power = Decimals.power(places) else {
                guard mode == .halfUp || mode == .halfEven || value[row] == 0 else { throw overflow }
                return 0
            }
            let quotient = divided(value[row], power)
            guard let result = Decimals.rescale(quotient, from: min(digits, call.scale(0)), to: scale),
                Decimals.fits(result, precision)
            else { throw overflow }
            return result
        }
    }

    private func divided(_ value: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
        let isAway: Bool =
            switch mode {
            case .up: rest > 0
            case .down: rest < 0
            case .halfUp: rest.magnitude >= divisor.magnitude - rest.magnitude
            case .halfEven:
                rest.magnitude > divisor.magnitude - rest.magnitude
                    || (rest.magnitude == divisor.magnitude - rest.magnitude && quotient % 2 != 0)
            }
        guard isAway else { return quotient }
        return value < 0 ? quotient - 1 : quotient + 1
    }

    // MARK: - Floating point

    private func rounded(_ value: Double) -> Double {
        guard value.isFinite, let shortest = ShortestDecimal(value.description) else { return value }
        return shortest.rounded(to: digits, isEven: mode == .halfEven).map { $0.double } ?? value
    }

    private func rounded(_ value: Float) -> Float {
        guard value.isFinite, let shortest = ShortestDecimal(value.description) else { return value }
        return shortest.rounded(to: digits, isEven: mode == .halfEven).map { Float($0.text) ?? value } ?? value
    }
}

/// A floating-point number as the shortest decimal that means it, which is what Java rounds: `mantissa × 10^exponent`.
struct ShortestDecimal {
    var isNegative: Bool
    var mantissa: UInt64
    var exponent: Int

    /// Reads what Swift writes: `-1.5`, `1e-05`. Nil for infinities and NaN.
    init?(_ description: String) {
        isNegative = false
        mantissa = 0
        exponent = 0
        var hasPoint = false
        var bytes = description.utf8[...]
        if bytes.first == UInt8(ascii: "-") {
            isNegative = true
            bytes = bytes.dropFirst()
        }
        while let byte = bytes.first, byte != UInt8(ascii: "e") {
            bytes = bytes.dropFirst()
            if byte == UInt8(ascii: ".") {
                hasPoint = true
                continue
            }
            guard byte.isDigit else { return nil }
            // At most 17 digits count; zeros behind them are the exponent's.
            guard mantissa < 100_000_000_000_000_000 else {
                if !hasPoint { exponent += 1 }
                continue
            }
            mantissa = mantissa * 10 + UInt64(byte - 0x30)
            if hasPoint { exponent -= 1 }
        }
        if !bytes.isEmpty { exponent += Int(String(decoding: bytes.dropFirst(), as: UTF8.self)) ?? 0 }
    }

    /// With so many digits behind the point; nil if it has no more than that already.
    func rounded(to digits: Int, isEven: Bool) -> ShortestDecimal? {
        let drop = -exponent - digits
        guard drop > 0 else { return nil }
        var result = self
        result.exponent = -digits
        guard drop <= 19 else {
            result.mantissa = 0
            result.exponent = 0
            return result
        }
        let power = UInt64(Decimals.powers[drop])
        let (quotient, rest) = mantissa.quotientAndRemainder(dividingBy: power)
        let isHalf = rest == power - rest
        result.mantissa = rest > power - rest || (isHalf && (!isEven || quotient % 2 == 1)) ? quotient + 1 : quotient
        if result.mantissa == 0 { result.exponent = 0 }
        return result
    }

    var text: String { "\(isNegative ? "-" : "")\(mantissa)e\(exponent)" }

    var double: Double {
        // Both exact, so the quotient is the nearest double; else the reader of texts does it.
        if mantissa < 1 << 53, exponent <= 0, exponent >= -22 {
            let value = Double(mantissa) / Self.powers[-exponent]
            return isNegative ? -value : value
        }
        return Double(text) ?? 0
    }

    private static let powers: [Double] = (0...22).map { Double(Decimals.powers[$0]) }
}
