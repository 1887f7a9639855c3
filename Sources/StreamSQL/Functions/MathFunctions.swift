import Glibc
import StreamCore

/// Functions of real numbers. Undefined results are NaN; logarithms are null outside their domain, as in Spark.
enum MathFunctions {
    static let all: [ScalarFunction] =
        plain + logarithms + [
            constant("pi", .pi), constant("e", M_E),
            real("atan2") { atan2($0, $1) }, real("hypot") { hypot($0, $1) },
            real("pow", aliases: ["power"]) { pow($0, $1) },
            ScalarFunction("factorial", .exact([.int32], returns: .int64)) { call in
                let value = call.int32s(0)
                return call.int64 { row in
                    guard (0...20).contains(value[row]) else { return nil }
                    return (0..<Int64(value[row])).reduce(1) { $0 * ($1 + 1) }
                }
            },
            ScalarFunction("width_bucket", .exact([.double, .double, .double, .int64], returns: .int64)) { call in
                let (value, low, high) = (call.doubles(0), call.doubles(1), call.doubles(2))
                let count = call.int64s(3)
                return call.int64 { Histogram.bucket(value[$0], low[$0], high[$0], count: count[$0]) }
            },
            ScalarFunction("isnan", .custom(1...1, floating), propagatesNulls: false) { call in
                if case .float = call.arguments[0].column {
                    let value = call.floats(0)
                    return call.boolean { !value.isNull($0) && value[$0].isNaN }
                }
                let value = call.doubles(0)
                return call.boolean { !value.isNull($0) && value[$0].isNaN }
            },
            ScalarFunction("nanvl", nanvlSignature, propagatesNulls: false) { call in
                let isFloat = call.type == .float
                let (a, b) = (call.arguments[0], call.arguments[1])
                let (floats, doubles) = isFloat ? (call.floats(0), nil) : (nil, call.doubles(0))
                return call.picked([a.column, b.column]) { row in
                    if call.isNull(0, row) { return nil }
                    let isMissing = floats.map { $0[row].isNaN } ?? doubles.map { $0[row].isNaN } ?? false
                    return isMissing ? Pick(1, row & b.mask) : Pick(0, row & a.mask)
                }
            },
        ]

    private static let plain: [ScalarFunction] = [
        real("sqrt") { $0.squareRoot() }, real("cbrt") { StrictMath.cbrt($0) },
        real("exp") { StrictMath.exp($0) }, real("expm1") { expm1($0) },
        real("sin") { sin($0) }, real("cos") { cos($0) }, real("tan") { tan($0) },
        real("asin") { asin($0) }, real("acos") { acos($0) }, real("atan") { atan($0) },
        real("sinh") { sinh($0) }, real("cosh") { cosh($0) }, real("tanh") { tanh($0) },
        real("asinh") { asinh($0) }, real("acosh") { acosh($0) }, real("atanh") { atanh($0) },
        real("cot") { 1 / tan($0) }, real("sec") { 1 / cos($0) }, real("csc") { 1 / sin($0) },
        real("degrees") { $0 * (180 / .pi) }, real("radians") { $0 / 180 * .pi },
        real("rint") { $0.rounded(.toNearestOrEven) },
        real("signum", aliases: ["sign"]) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 },
    ]

    private static let logarithms: [ScalarFunction] = [
        logarithm("ln") { log($0) }, logarithm("log10") { log10($0) },
        // As Spark: the quotient of two logarithms, not the exact function.
        logarithm("log2") { log($0) / log(2) },
        logarithm("log1p", above: -1) { log1p($0) },
        ScalarFunction("log", .exact([.double], optional: [.double], returns: .double)) { call in
            guard call.arguments.count > 1 else {
                let value = call.doubles(0)
                return call.double { value[$0] <= 0 ? nil : log(value[$0]) }
            }
            let (base, value) = (call.doubles(0), call.doubles(1))
            return call.double { value[$0] <= 0 || base[$0] <= 0 ? nil : log(value[$0]) / log(base[$0]) }
        },
    ]

    private static func constant(_ name: String, _ value: Double) -> ScalarFunction {
        ScalarFunction(name, .exact([], returns: .double)) { call in .double(call.dense { _ in value }) }
    }

    private static func real(
        _ name: String, aliases: [String] = [], _ function: @escaping @Sendable (Double) -> Double
    ) -> ScalarFunction {
        ScalarFunction(name, aliases: aliases, .exact([.double], returns: .double)) { call in
            let value = call.doubles(0)
            return .double(call.dense { function(value[$0]) })
        }
    }

    private static func real(
        _ name: String, aliases: [String] = [], _ function: @escaping @Sendable (Double, Double) -> Double
    ) -> ScalarFunction {
        ScalarFunction(name, aliases: aliases, .exact([.double, .double], returns: .double)) { call in
            let (a, b) = (call.doubles(0), call.doubles(1))
            return .double(call.dense { function(a[$0], b[$0]) })
        }
    }

    private static func logarithm(
        _ name: String, above limit: Double = 0, _ function: @escaping @Sendable (Double) -> Double
    ) -> ScalarFunction {
        ScalarFunction(name, .exact([.double], returns: .double)) { call in
            let value = call.doubles(0)
            return call.double { value[$0] <= limit ? nil : function(value[$0]) }
        }
    }

    @Sendable
    private static func floating(_ typing: inout CallTyping) throws(SyntaxIssue) -> ResultType {
        if typing.type(0) != .float { try typing.coerce(0, to: .double) }
        return ResultType(.boolean)
    }

    private static let nanvlSignature = Signature.custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let type: DataType = typing.type(0) == .float && typing.type(1) == .float ? .float : .double
        for index in 0..<2 { try typing.coerce(index, to: type) }
        return ResultType(type)
    }
}

/// `width_bucket`: which of `count` equal parts between two bounds a value falls into; 0 and `count + 1` are outside.
enum Histogram {
    static func bucket(_ value: Double, _ low: Double, _ high: Double, count: Int64) -> Int64? {
        guard count > 0, count < .max, !value.isNaN, low.isFinite, high.isFinite, low != high else { return nil }
        // Falling bounds are the mirror image of rising ones.
        let (place, width) = low < high ? (value - low, high - low) : (low - value, low - high)
        if place < 0 { return 0 }
        if place >= width { return count + 1 }
        return Int64(exactly: (Double(count) * place / width).rounded(.down)).map { $0 + 1 }
    }
}
