import StreamCore

/// Turns resolved expressions into nodes; constants are computed here, once.
struct PlanCompiler {
    let zone: TimeZone

    func node(_ expression: Expression) -> Node {
        switch expression.kind {
        case .literal(let datum): return ConstantNode(.of([datum], type: expression.type), type: expression.type)
        case .column(let index): return ColumnNode(index, type: expression.type)
        case .member(let base, let index):
            let operand = node(base)
            return folded(MemberNode(operand, index, type: expression.type), [operand])
        case .cast(let inner, let isTry):
            let cast = Cast(
                from: inner.type, to: expression.type, isTry: isTry, fromUnits: inner.units, toUnits: expression.units)
            let operand = node(inner)
            // `cast('12:00' as timestamp)` depends on the batch's day.
            let dependsOnTime = inner.type == .string && expression.type == .timestamp
            return dependsOnTime ? CastNode(operand, cast) : folded(CastNode(operand, cast), [operand])
        case .call(let name, let arguments): return call(name, arguments.map { node($0) }, expression.type)
        }
    }

    private func call(_ name: String, _ arguments: [Node], _ type: DataType) -> Node {
        guard let function = FunctionRegistry.standard[name] else {
            return FaultNode(RowError("UNRESOLVED_ROUTINE", "the function '\(name)' is not known"), type: type)
        }
        let result: Node
        switch function.implementation {
        case .eager(let body):
            result = TextEqualityNode.make(name, arguments) ?? CallNode(function, arguments, type: type, body: body)
        case .prepared(let prepare):
            let preparation = Preparation(
                constants: arguments.map(\.constant), argumentTypes: arguments.map(\.type), type: type, zone: zone)
            result = CallNode(function, arguments, type: type, body: prepare(preparation))
        case .lazy(let body):
            result = name == "and" ? AndNode(arguments) : LazyNode(arguments, type: type, body: body)
        }
        return function.isFoldable ? folded(result, arguments) : result
    }

    /// The value of an expression over constants; its error, if it has one, stays an error of the rows that reach it.
    private func folded(_ node: Node, _ operands: [Node]) -> Node {
        guard operands.allSatisfy({ $0.constant != nil }) else { return node }
        let context = EvaluationContext(columns: [], count: 1, now: 0, zone: zone)
        let vector = node.evaluate(Rows(count: 1), context)
        if let fault = context.faults.faults.first {
            return FaultNode(RowError(fault.code, fault.message), type: node.type)
        }
        return ConstantNode(vector.column, type: node.type)
    }
}

/// `column = 'text'` and `column != 'text'`: the commonest filter, so rows are selected without a boolean column
/// between.
final class TextEqualityNode: Node {
    private let operand: Node
    private let text: [UInt8]
    private let isNegated: Bool

    private init(_ operand: Node, _ text: [UInt8], isNegated: Bool) {
        self.operand = operand
        self.text = text
        self.isNegated = isNegated
        super.init(type: .boolean)
    }

    static func make(_ name: String, _ arguments: [Node]) -> Node? {
        guard name == "=" || name == "!=", arguments.count == 2, arguments[0].type == .string else { return nil }
        for (operand, other) in [(arguments[0], arguments[1]), (arguments[1], arguments[0])] {
            guard operand.constant == nil, case .string(let text)? = other.constant?.datum(0) else { continue }
            return TextEqualityNode(operand, Array(text.utf8), isNegated: name == "!=")
        }
        return nil
    }

    override func evaluate(_ rows: Rows, _ context: EvaluationContext) -> Vector {
        let vector = operand.evaluate(rows, context)
        guard case .string(let column) = vector.column else { return Vector(constant: .of([.null], type: .boolean)) }
        let mask = vector.mask
        let values = text.withUnsafeBytes { wanted in
            (0..<rows.count).map { UTF8Text.isEqual(column.bytes($0 & mask), wanted) != isNegated }
        }
        return Vector(
            .boolean(
                FixedColumn(
                    values, nulls: vector.isNullConstant ? Bitmap(count: rows.count, repeating: true) : column.nulls)))
    }

    override func select(_ rows: Rows, _ context: EvaluationContext) -> Rows {
        let vector = operand.evaluate(rows, context)
        guard case .string(let column) = vector.column, !vector.isConstant else { return super.select(rows, context) }
        return text.withUnsafeBytes { wanted in
            rows.filter { UTF8Text.isEqual(column.bytes($0), wanted) != isNegated && !column.isNull($0) }
        }
    }
}
