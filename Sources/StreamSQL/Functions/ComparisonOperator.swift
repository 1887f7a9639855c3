import StreamCore

enum ComparisonOperator: String, Sendable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case same = "<=>"

    func evaluate(_ call: Call) -> Column {
        switch call.arguments[0].column {
        case .int8: return fixed(call, call.int8s(0), call.int8s(1))
        case .int16: return fixed(call, call.int16s(0), call.int16s(1))
        case .int32, .date, .yearMonthInterval: return fixed(call, call.int32s(0), call.int32s(1))
        case .int64, .timestamp, .dayTimeInterval: return fixed(call, call.int64s(0), call.int64s(1))
        case .decimal: return fixed(call, call.decimals(0), call.decimals(1))
        case .float: return floats(call, call.floats(0), call.floats(1))
        case .double: return floats(call, call.doubles(0), call.doubles(1))
        case .string, .binary: return bytes(call)
        default: return general(call)
        }
    }

    private func fixed<Value: Comparable & BitwiseCopyable & Sendable>(
        _ call: Call, _ a: FixedInput<Value>, _ b: FixedInput<Value>
    ) -> Column {
        switch self {
        case .equal: .boolean(call.dense { a[$0] == b[$0] })
        case .notEqual: .boolean(call.dense { a[$0] != b[$0] })
        case .less: .boolean(call.dense { a[$0] < b[$0] })
        case .lessOrEqual: .boolean(call.dense { a[$0] <= b[$0] })
        case .greater: .boolean(call.dense { a[$0] > b[$0] })
        case .greaterOrEqual: .boolean(call.dense { a[$0] >= b[$0] })
        case .same: general(call)
        }
    }

    /// NaN is equal to itself and greater than everything else.
    private func floats<Value: BinaryFloatingPoint & BitwiseCopyable & Sendable>(
        _ call: Call, _ a: FixedInput<Value>, _ b: FixedInput<Value>
    ) -> Column {
        switch self {
        case .equal: .boolean(call.dense { a[$0] == b[$0] || (a[$0].isNaN && b[$0].isNaN) })
        case .notEqual: .boolean(call.dense { a[$0] != b[$0] && !(a[$0].isNaN && b[$0].isNaN) })
        case .less: .boolean(call.dense { a[$0] < b[$0] || (b[$0].isNaN && !a[$0].isNaN) })
        case .lessOrEqual: .boolean(call.dense { a[$0] <= b[$0] || b[$0].isNaN })
        case .greater: .boolean(call.dense { a[$0] > b[$0] || (a[$0].isNaN && !b[$0].isNaN) })
        case .greaterOrEqual: .boolean(call.dense { a[$0] >= b[$0] || a[$0].isNaN })
        case .same: general(call)
        }
    }

    private func bytes(_ call: Call) -> Column {
        let a = call.bytes(0)
        let b = call.bytes(1)
        switch self {
        case .equal: return .boolean(call.fixed(false) { UTF8Text.isEqual(a[$0], b[$0]) })
        case .notEqual: return .boolean(call.fixed(false) { !UTF8Text.isEqual(a[$0], b[$0]) })
        case .same: return general(call)
        default: return .boolean(call.fixed(false) { holds(UTF8Text.compare(a[$0], b[$0])) })
        }
    }

    private func general(_ call: Call) -> Column {
        let (left, right) = (call.arguments[0], call.arguments[1])
        let order = ValueOrder(left.column.type)
        return call.boolean { row in
            if self == .same {
                let nulls = (call.isNull(0, row), call.isNull(1, row))
                if nulls.0 || nulls.1 { return nulls.0 && nulls.1 }
            }
            return holds(order.compare(left.column, row & left.mask, right.column, row & right.mask))
        }
    }

    private func holds(_ order: Int) -> Bool {
        switch self {
        case .equal, .same: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}

/// The order of two values of one type, each in a column of its own. Nulls (only inside arrays and structs) come first.
struct ValueOrder: Sendable {
    let type: DataType

    init(_ type: DataType) { self.type = type }

    static func isOrderable(_ type: DataType) -> Bool {
        switch type {
        case .map, .calendarInterval: false
        case .array(let element): isOrderable(element)
        case .structure(let schema): schema.fields.allSatisfy { isOrderable($0.type) }
        default: true
        }
    }

    /// Negative, zero or positive. Both rows are not null.
    func compare(_ a: Column, _ i: Int, _ b: Column, _ j: Int) -> Int {
        switch (a, b) {
        case (.boolean(let x), .boolean(let y)): order(x.values[i] ? 1 : 0, y.values[j] ? 1 : 0)
        case (.int8(let x), .int8(let y)): order(x.values[i], y.values[j])
        case (.int16(let x), .int16(let y)): order(x.values[i], y.values[j])
        case (.int32(let x), .int32(let y)), (.date(let x), .date(let y)),
            (.yearMonthInterval(let x), .yearMonthInterval(let y)):
            order(x.values[i], y.values[j])
        case (.int64(let x), .int64(let y)), (.timestamp(let x), .timestamp(let y)),
            (.dayTimeInterval(let x), .dayTimeInterval(let y)):
            order(x.values[i], y.values[j])
        case (.decimal(let x), .decimal(let y)): order(x.unscaled.values[i], y.unscaled.values[j])
        case (.float(let x), .float(let y)): floats(Double(x.values[i]), Double(y.values[j]))
        case (.double(let x), .double(let y)): floats(x.values[i], y.values[j])
        case (.string(let x), .string(let y)), (.binary(let x), .binary(let y)):
            UTF8Text.compare(x.arena.bytes(x.views[i]), y.arena.bytes(y.views[j]))
        case (.calendarInterval(let x), .calendarInterval(let y)): x.values[i] == y.values[j] ? 0 : 1
        case (.array(let x), .array(let y)): lists(x, i, y, j)
        case (.structure(let x), .structure(let y)): structures(x, i, y, j)
        default: 0
        }
    }

    /// As `compare`, and a null is less than everything but a null.
    func compareWithNulls(_ a: Column, _ i: Int, _ b: Column, _ j: Int) -> Int {
        let left = a.isNull(i)
        let right = b.isNull(j)
        if left || right { return left && right ? 0 : left ? -1 : 1 }
        return compare(a, i, b, j)
    }

    private func order<Value: Comparable>(_ a: Value, _ b: Value) -> Int { a < b ? -1 : a > b ? 1 : 0 }

    private func floats(_ a: Double, _ b: Double) -> Int {
        if a.isNaN || b.isNaN { return a.isNaN && b.isNaN ? 0 : a.isNaN ? 1 : -1 }
        return order(a, b)
    }

    private func lists(_ a: ArrayColumn, _ i: Int, _ b: ArrayColumn, _ j: Int) -> Int {
        let (left, right) = (a.range(i), b.range(j))
        for (x, y) in zip(left, right) {
            let result = compareWithNulls(a.elements, x, b.elements, y)
            if result != 0 { return result }
        }
        return left.count - right.count
    }

    private func structures(_ a: StructColumn, _ i: Int, _ b: StructColumn, _ j: Int) -> Int {
        for (x, y) in zip(a.columns, b.columns) {
            let result = compareWithNulls(x, i, y, j)
            if result != 0 { return result }
        }
        return 0
    }
}

extension Column {
    /// Whether a row is null, without making a bitmap.
    func isNull(_ row: Int) -> Bool {
        switch self {
        case .null: true
        case .structure(let column): column.isNull(row)
        default: nulls?[row] ?? false
        }
    }
}
