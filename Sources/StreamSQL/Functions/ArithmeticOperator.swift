import Glibc
import StreamCore

/// The six operations on numbers, for every number type. Errors are ANSI's.
enum ArithmeticOperator: Sendable {
    case add, subtract, multiply, divide, remainder, wholeDivide, positiveRemainder

    static let divideByZero = RowError("DIVIDE_BY_ZERO", "division by zero")
    static let remainderByZero = RowError("REMAINDER_BY_ZERO", "remainder of a division by zero")

    static func overflow(_ type: DataType) -> RowError {
        let isSmall = type == .int8 || type == .int16
        return RowError(
            isSmall ? "BINARY_ARITHMETIC_OVERFLOW" : "ARITHMETIC_OVERFLOW",
            "the result does not fit \(type.name.uppercased())")
    }

    func evaluate(_ call: Call) -> Column {
        if self == .wholeDivide { return wholeDivide(call) }
        switch call.type {
        case .int8: return .int8(integers(call, call.int8s(0), call.int8s(1)))
        case .int16: return .int16(integers(call, call.int16s(0), call.int16s(1)))
        case .int32: return .int32(integers(call, call.int32s(0), call.int32s(1)))
        case .int64: return .int64(integers(call, call.int64s(0), call.int64s(1)))
        case .float: return .float(floats(call, call.floats(0), call.floats(1)))
        case .double: return .double(floats(call, call.doubles(0), call.doubles(1)))
        case .decimal: return decimals(call)
        default: return call.nothing()
        }
    }

    // MARK: - Whole numbers

    private func integers<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ call: Call, _ a: FixedInput<Value>, _ b: FixedInput<Value>
    ) -> FixedColumn<Value> {
        let overflow = Self.overflow(call.type)
        switch self {
        case .add:
            return call.fixed(0) { (row) throws(RowError) in
                let (value, isOver) = a[row].addingReportingOverflow(b[row])
                if isOver { throw overflow }
                return value
            }
        case .subtract:
            return call.fixed(0) { (row) throws(RowError) in
                let (value, isOver) = a[row].subtractingReportingOverflow(b[row])
                if isOver { throw overflow }
                return value
            }
        case .multiply:
            return call.fixed(0) { (row) throws(RowError) in
                let (value, isOver) = a[row].multipliedReportingOverflow(by: b[row])
                if isOver { throw overflow }
                return value
            }
        default:
            let isPositive = self == .positiveRemainder
            return call.fixed(0) { (row) throws(RowError) in
                let divisor = b[row]
                if divisor == 0 { throw Self.remainderByZero }
                // The least value by -1 leaves no remainder, but traps.
                if divisor == -1 { return 0 }
                let rest = a[row] % divisor
                return isPositive && rest < 0 ? (rest &+ divisor) % divisor : rest
            }
        }
    }

    private func wholeDivide(_ call: Call) -> Column {
        if case .decimal = call.arguments[0].column.type {
            let a = call.decimals(0)
            let b = call.decimals(1)
            let (s, t) = (call.scale(0), call.scale(1))
            return call.int64 { (row) throws(RowError) in
                if b[row] == 0 { throw Self.divideByZero }
                guard let rest = Decimals.remainder(a[row], s, b[row], t),
                    let exact = Self.difference(a[row], s, rest, max(s, t)),
                    let quotient = Decimals.quotient(exact, max(s, t), b[row], t), let value = Int64(exactly: quotient)
                else { throw Self.overflow(.int64) }
                return value
            }
        }
        let a = call.int64s(0)
        let b = call.int64s(1)
        return call.int64 { (row) throws(RowError) in
            if b[row] == 0 { throw Self.divideByZero }
            let (value, isOver) = a[row].dividedReportingOverflow(by: b[row])
            if isOver { throw Self.overflow(.int64) }
            return value
        }
    }

    /// `a - rest` at a scale that is not less than either's.
    private static func difference(_ a: Int128, _ scale: Int, _ rest: Int128, _ target: Int) -> Int128? {
        guard let moved = Decimals.rescale(a, from: scale, to: target) else { return nil }
        return moved - rest
    }

    // MARK: - Floating point

    private func floats<Value: BinaryFloatingPoint & BitwiseCopyable & Sendable>(
        _ call: Call, _ a: FixedInput<Value>, _ b: FixedInput<Value>
    ) -> FixedColumn<Value> {
        switch self {
        case .add: return call.dense { a[$0] + b[$0] }
        case .subtract: return call.dense { a[$0] - b[$0] }
        case .multiply: return call.dense { a[$0] * b[$0] }
        case .divide:
            return call.fixed(0) { (row) throws(RowError) in
                if b[row] == 0 { throw Self.divideByZero }
                return a[row] / b[row]
            }
        default:
            let isPositive = self == .positiveRemainder
            return call.fixed(0) { (row) throws(RowError) in
                let divisor = b[row]
                if divisor == 0 { throw Self.remainderByZero }
                let rest = a[row].truncatingRemainder(dividingBy: divisor)
                return isPositive && rest < 0 ? (rest + divisor).truncatingRemainder(dividingBy: divisor) : rest
            }
        }
    }

    // MARK: - Decimals

    private func decimals(_ call: Call) -> Column {
        guard case .decimal(let precision, let scale) = call.type else { return call.nothing() }
        let a = call.decimals(0)
        let b = call.decimals(1)
        let (s, t) = (call.scale(0), call.scale(1))
        let tooLarge = RowError(
            "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "the result does not fit \(call.type.name.uppercased())")
        return call.decimal { (row) throws(RowError) in
            if b[row] == 0, self == .divide { throw Self.divideByZero }
            if b[row] == 0, self == .remainder || self == .positiveRemainder { throw Self.remainderByZero }
            guard let value = decimal(a[row], s, b[row], t, to: scale), Decimals.fits(value, precision) else {
                throw tooLarge
            }
            return value
        }
    }

    private func decimal(_ a: Int128, _ s: Int, _ b: Int128, _ t: Int, to scale: Int) -> Int128? {
        switch self {
        case .add: return Decimals.sum(a, s, b, t, to: scale)
        case .subtract: return Decimals.sum(a, s, -b, t, to: scale)
        case .multiply: return Decimals.product(a, b, scale: s + t, to: scale)
        case .divide: return Decimals.quotient(a, s, b, t, to: scale)
        case .remainder:
            return Decimals.remainder(a, s, b, t).flatMap { Decimals.rescale($0, from: max(s, t), to: scale) }
        default:
            guard let rest = Decimals.remainder(a, s, b, t) else { return nil }
            guard rest < 0 else { return Decimals.rescale(rest, from: max(s, t), to: scale) }
            guard let shifted = Decimals.sum(rest, max(s, t), b, t, to: max(s, t)),
                let positive = Decimals.remainder(shifted, max(s, t), b, t)
            else { return nil }
            return Decimals.rescale(positive, from: max(s, t), to: scale)
        }
    }
}
