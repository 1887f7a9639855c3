import StreamCore

/// `= != < <= > >= <=>` and `in`, `greatest`, `least`, `nullif` in their common shape: operands of one type.
enum ComparisonFunctions {
    static let all: [ScalarFunction] = [
        comparison("="), comparison("!="), comparison("<"), comparison("<="), comparison(">"), comparison(">="),
        comparison("<=>", aliases: ["equal_null"], propagatesNulls: false),
        ScalarFunction(
            "in",
            .custom(2...Int.max) { (typing: inout CallTyping) throws(SyntaxIssue) in
                _ = try typing.unify(0...)
                try requireOrder(typing)
                return ResultType(.boolean)
            }, propagatesNulls: false
        ) { Membership.evaluate($0) },
        extreme("greatest") { $0 > 0 }, extreme("least") { $0 < 0 },
    ]

    private static func comparison(
        _ name: String, aliases: [String] = [], propagatesNulls: Bool = true
    ) -> ScalarFunction {
        let operation = ComparisonOperator(rawValue: name) ?? .equal
        return ScalarFunction(
            name, aliases: aliases,
            .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                guard Coercion.common(typing.type(0), typing.type(1)) != nil else {
                    let names = typing.arguments.map { $0.typeName.uppercased() }
                    throw typing.issue(
                        "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "cannot compare \(names[0]) with \(names[1])")
                }
                _ = try typing.unify(0...)
                try requireOrder(typing)
                return ResultType(.boolean)
            }, propagatesNulls: propagatesNulls
        ) { operation.evaluate($0) }
    }

    private static func requireOrder(_ typing: CallTyping) throws(SyntaxIssue) {
        guard ValueOrder.isOrderable(typing.type(0)) else {
            throw typing.issue(
                "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                "values of type \(typing.type(0).name.uppercased()) cannot be compared")
        }
    }

    /// Nulls are skipped; all null gives null.
    private static func extreme(_ name: String, _ isBetter: @escaping @Sendable (Int) -> Bool) -> ScalarFunction {
        ScalarFunction(
            name,
            .custom(2...Int.max) { (typing: inout CallTyping) throws(SyntaxIssue) in
                let result = try typing.unify(0...)
                try requireOrder(typing)
                return result
            }, propagatesNulls: false
        ) { call in
            let columns = call.arguments.map(\.column)
            let orders = ValueOrder(call.type)
            return call.picked(columns) { row in
                var best: Pick?
                for (source, vector) in call.arguments.enumerated() where !call.isNull(source, row) {
                    let candidate = Pick(source, row & vector.mask)
                    guard let current = best else {
                        best = candidate
                        continue
                    }
                    let order = orders.compare(
                        columns[source], Int(candidate.row), columns[Int(current.source)], Int(current.row))
                    if isBetter(order) { best = candidate }
                }
                return best
            }
        }
    }
}

/// `IN (…)`: true if one is equal, else null if a null was met, else false.
enum Membership {
    static func evaluate(_ call: Call) -> Column {
        if let result = constants(call) { return result }
        let columns = call.arguments.map(\.column)
        let order = ValueOrder(columns[0].type)
        return call.boolean { row in
            if call.isNull(0, row) { return nil }
            var hasNull = false
            for index in 1..<columns.count {
                if call.isNull(index, row) {
                    hasNull = true
                } else if order.compare(
                    columns[0], row & call.arguments[0].mask, columns[index], row & call.arguments[index].mask) == 0
                {
                    return true
                }
            }
            return hasNull ? nil : false
        }
    }

    /// Lists of constants, which most are: gathered once per batch, then compared without a look at types or nulls.
    private static func constants(_ call: Call) -> Column? {
        let list = call.arguments.dropFirst()
        guard list.allSatisfy(\.isConstant) else { return nil }
        let known = list.filter { !$0.isNullConstant }.map(\.column)
        // Not found beside a NULL is unknown.
        let absent: Bool? = known.count < list.count ? nil : false
        switch call.arguments[0].column {
        case .string, .binary:
            let input = call.bytes(0)
            let wanted = known.map { BytesInput(bytes: $0) }
            let texts = wanted.map { $0[0] }
            return withExtendedLifetime(wanted) {
                call.boolean { row in
                    if input.isNull(row) { return nil }
                    let bytes = input[row]
                    for text in texts where UTF8Text.isEqual(text, bytes) { return true }
                    return absent
                }
            }
        case .int32, .date: return numbers(call, call.int32s(0), known.map { $0.int32(0) }, absent)
        case .int64, .timestamp: return numbers(call, call.int64s(0), known.map { $0.int64(0) }, absent)
        default: return nil
        }
    }

    private static func numbers<Value: Hashable & BitwiseCopyable & Sendable>(
        _ call: Call, _ input: FixedInput<Value>, _ wanted: [Value], _ absent: Bool?
    ) -> Column {
        let set = wanted.count > 16 ? Set(wanted) : []
        return call.boolean { row in
            if input.isNull(row) { return nil }
            let value = input[row]
            return (set.isEmpty ? wanted.contains(value) : set.contains(value)) ? true : absent
        }
    }
}

extension BytesInput {
    /// A constant of a list: a string or binary column of one row.
    fileprivate init(bytes column: Column) {
        switch column {
        case .string(let column), .binary(let column): self.init(column, mask: 0)
        default: self.init(BytesColumn(arena: ByteArena(), views: [.empty]), mask: 0)
        }
    }
}

extension Column {
    fileprivate func int32(_ row: Int) -> Int32 {
        switch self {
        case .int32(let column), .date(let column): column.values[row]
        default: 0
        }
    }

    fileprivate func int64(_ row: Int) -> Int64 {
        switch self {
        case .int64(let column), .timestamp(let column): column.values[row]
        default: 0
        }
    }
}
