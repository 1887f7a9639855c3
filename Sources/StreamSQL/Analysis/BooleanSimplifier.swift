import StreamCore

/// `x AND true` is `x`, `x OR true` is true, `NOT NOT x` is `x`. Nothing is dropped that could be an error of its row.
enum BooleanSimplifier {
    static func simplified(_ expression: Expression) -> Expression {
        let node = expression.withChildren(expression.children.map { simplified($0) })
        guard case .call(let name, let operands) = node.kind else { return node }
        switch name {
        case "and": return chain(node, operands, neutral: true)
        case "or": return chain(node, operands, neutral: false)
        case "not": return negation(node, operands[0])
        default: return node
        }
    }

    private static func chain(_ node: Expression, _ operands: [Expression], neutral: Bool) -> Expression {
        guard case .call(let name, _) = node.kind else { return node }
        var kept: [Expression] = []
        for operand in operands where operand.kind != .literal(.boolean(neutral)) {
            kept.append(operand)
            // What follows a decisive constant is never evaluated.
            if operand.kind == .literal(.boolean(!neutral)) { break }
        }
        if kept.isEmpty { return Expression(.literal(.boolean(neutral)), .boolean) }
        if kept.count == 1 { return kept[0] }
        return Expression(.call(name, kept), .boolean)
    }

    private static func negation(_ node: Expression, _ operand: Expression) -> Expression {
        switch operand.kind {
        case .literal(.boolean(let value)): return Expression(.literal(.boolean(!value)), .boolean)
        case .call("not", let inner): return inner[0]
        case .call(let name, let operands):
            let opposites = [
                "=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "isnull": "isnotnull",
                "isnotnull": "isnull",
            ]
            return opposites[name].map { Expression(.call($0, operands), .boolean) } ?? node
        default: return node
        }
    }
}
