import StreamCore

/// CASE, IF, COALESCE and their relatives: branches are evaluated only for the rows that take them.
enum ConditionalFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("case", caseSignature, propagatesNulls: false, implementation: .lazy { Branches.evaluate($0) }),
        ScalarFunction("if", ifSignature, propagatesNulls: false, implementation: .lazy { Branches.evaluate($0) }),
        ScalarFunction(
            "coalesce", .common(1...Int.max), propagatesNulls: false, implementation: .lazy { Branches.coalesce($0) }),
        ScalarFunction(
            "ifnull", aliases: ["nvl"], .common(2...2), propagatesNulls: false,
            implementation: .lazy { Branches.coalesce($0) }),
        ScalarFunction("nvl2", nvl2Signature, propagatesNulls: false, implementation: .lazy { Branches.nvl2($0) }),
        ScalarFunction("nullif", nullifSignature, propagatesNulls: false) { Branches.nullif($0) },
        ScalarFunction("nullifzero", zeroSignature, propagatesNulls: false) { Branches.nullifzero($0) },
        ScalarFunction(
            "zeroifnull",
            .custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
                try requireNumber(&typing)
                typing.arguments.append(Expression(.literal(.integer(0)), .int32).cast(to: typing.type(0)))
                return ResultType(typing.type(0))
            }, propagatesNulls: false, implementation: .lazy { Branches.coalesce($0) }),
        ScalarFunction(
            "typeof",
            .custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
                typing.replace(with: .text(typing.arguments[0].typeName))
            }
        ) { $0.nothing() },
        ScalarFunction("decode", decodeSignature) { $0.nothing() },
        ScalarFunction(
            "assert_true", .exact([.boolean], optional: [.string], returns: .null), propagatesNulls: false,
            isFoldable: false
        ) { Branches.assertTrue($0) },
        ScalarFunction("raise_error", .exact([.string], returns: .null), propagatesNulls: false, isFoldable: false) {
            call in
            let message = call.bytes(0)
            call.rows.forEachRow { call.fail($0, RowError("USER_RAISED_EXCEPTION", message.text($0))) }
            return .null(call.count)
        },
    ]

    private static let caseSignature = Signature.custom(2...Int.max) { (typing: inout CallTyping) throws(SyntaxIssue) in
        var values: [Int] = []
        for index in stride(from: 0, to: typing.count - 1, by: 2) {
            guard typing.type(index) == .boolean else {
                throw typing.issue(
                    "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                    "WHEN needs a boolean, not \(typing.arguments[index].typeName.uppercased())", at: index)
            }
            values.append(index + 1)
        }
        if typing.count % 2 == 1 { values.append(typing.count - 1) }
        return try typing.unify(values)
    }

    private static let ifSignature = Signature.custom(3...3) { (typing: inout CallTyping) throws(SyntaxIssue) in
        if typing.type(0) == .null { try typing.coerce(0, to: .boolean) }
        guard typing.type(0) == .boolean else { throw typing.mismatch(0, wanted: "BOOLEAN") }
        return try typing.unify([1, 2])
    }

    private static let nvl2Signature = Signature.custom(3...3) { (typing: inout CallTyping) throws(SyntaxIssue) in
        try typing.unify([1, 2])
    }

    /// `decode(value, search, result, …, default)` is a CASE that takes nulls for equal.
    /// `decode(binary, charset)` is another function with the same name.
    private static let decodeSignature = Signature.custom(2...Int.max) {
        (typing: inout CallTyping) throws(SyntaxIssue) in
        if typing.count == 2 { return typing.replace(with: try typing.call("decode_charset", typing.arguments)) }
        var branches: [Expression] = []
        for index in stride(from: 1, to: typing.count - 1, by: 2) {
            branches.append(try typing.call("<=>", [typing.arguments[0], typing.arguments[index]]))
            branches.append(typing.arguments[index + 1])
        }
        if typing.count % 2 == 0 { branches.append(typing.arguments[typing.count - 1]) }
        return typing.replace(with: try typing.call("case", branches))
    }

    /// The result has the type of the first argument; a cast copy of both is compared.
    private static let nullifSignature = Signature.custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let original = typing.arguments[0]
        _ = try typing.unify(0...)
        typing.arguments.append(original)
        return ResultType(original.type, units: original.units)
    }

    private static let zeroSignature = Signature.custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
        try requireNumber(&typing)
        return ResultType(typing.type(0))
    }

    @Sendable
    private static func requireNumber(_ typing: inout CallTyping) throws(SyntaxIssue) {
        if typing.type(0) == .null { try typing.coerce(0, to: .int32) }
        guard Coercion.isNumeric(typing.type(0)) else { throw typing.mismatch(0, wanted: "NUMERIC") }
    }
}

enum Branches {
    /// Operands: condition, value, condition, value, …, and a value at the end if there is an ELSE.
    static func evaluate(_ call: LazyCall) -> Column {
        var sources: [Column] = []
        var picks = [Pick](repeating: .null, count: call.rows.count)
        var open = call.rows
        for index in stride(from: 0, to: call.operands.count, by: 2) where !open.isEmpty {
            let isElse = index + 1 == call.operands.count
            let taken = isElse ? open : call.operands[index].select(open, call.context)
            take(call, isElse ? index : index + 1, taken, &sources, &picks)
            if isElse { break }
            if !taken.isEmpty {
                var isTaken = [Bool](repeating: false, count: open.count)
                taken.forEachRow { isTaken[$0] = true }
                open = open.filter { !isTaken[$0] }
            }
            // A condition that failed takes no branch.
            open = open.without(call.context.faults.rows)
        }
        return .interleaved(sources, type: call.type, picks)
    }

    private static func take(
        _ call: LazyCall, _ operand: Int, _ rows: Rows, _ sources: inout [Column], _ picks: inout [Pick]
    ) {
        guard !rows.isEmpty else { return }
        let vector = call.evaluate(operand, rows)
        let (source, mask) = (sources.count, vector.mask)
        sources.append(vector.column)
        rows.forEachRow { picks[$0] = Pick(source, $0 & mask) }
    }

    static func coalesce(_ call: LazyCall) -> Column {
        var sources: [Column] = []
        var picks = [Pick](repeating: .null, count: call.rows.count)
        var open = call.rows
        for index in call.operands.indices where !open.isEmpty {
            let vector = call.evaluate(index, open)
            let (source, mask) = (sources.count, vector.mask)
            let nulls = vector.column.nulls
            if nulls == nil, sources.isEmpty, !vector.isConstant { return vector.column }
            sources.append(vector.column)
            open.forEachRow { row in if !(nulls?[row & mask] ?? false) { picks[row] = Pick(source, row & mask) } }
            guard let nulls else { break }
            open = open.filter { nulls[$0 & mask] }.without(call.context.faults.rows)
        }
        return .interleaved(sources, type: call.type, picks)
    }

    static func nvl2(_ call: LazyCall) -> Column {
        let test = call.evaluate(0, call.rows)
        let nulls = test.column.nulls
        let usable = call.rows.without(call.context.faults.rows)
        var sources: [Column] = []
        var picks = [Pick](repeating: .null, count: call.rows.count)
        take(call, 1, usable.filter { !(nulls?[$0 & test.mask] ?? false) }, &sources, &picks)
        take(call, 2, usable.filter { nulls?[$0 & test.mask] ?? false }, &sources, &picks)
        return .interleaved(sources, type: call.type, picks)
    }

    /// Arguments: both values in their common type, then the first one as it was.
    static func nullif(_ call: Call) -> Column {
        let (a, b, original) = (call.arguments[0], call.arguments[1], call.arguments[2])
        let order = ValueOrder(a.column.type)
        return call.picked([original.column]) { row in
            let isEqual =
                !call.isNull(0, row) && !call.isNull(1, row)
                && order.compare(a.column, row & a.mask, b.column, row & b.mask) == 0
            return isEqual || call.isNull(2, row) ? nil : Pick(0, row & original.mask)
        }
    }

    static func nullifzero(_ call: Call) -> Column {
        let vector = call.arguments[0]
        let zero = Column.of([Datum.zero(of: vector.column.type)], type: vector.column.type)
        let order = ValueOrder(vector.column.type)
        return call.picked([vector.column]) { row in
            if call.isNull(0, row) || order.compare(vector.column, row & vector.mask, zero, 0) == 0 { return nil }
            return Pick(0, row & vector.mask)
        }
    }

    static func assertTrue(_ call: Call) -> Column {
        let condition = call.booleans(0)
        let message = call.arguments.count > 1 ? call.bytes(1) : nil
        call.rows.forEachRow { row in
            if condition.isNull(row) || !condition[row] {
                call.fail(row, RowError("USER_RAISED_EXCEPTION", message?.text(row) ?? "the condition is not true"))
            }
        }
        return .null(call.count)
    }
}

extension Datum {
    /// Zero of a number type.
    static func zero(of type: DataType) -> Datum {
        switch type {
        case .float, .double: .double(0)
        case .decimal: .decimal(0)
        default: .integer(0)
        }
    }
}
