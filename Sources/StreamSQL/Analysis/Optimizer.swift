import StreamCore

/// Cuts a plan down to what it needs: only the columns and struct fields that are read, simpler conditions.
/// Constants are folded when expressions are compiled (`PlanCompiler`).
enum Optimizer {
    static func optimized(_ plan: LogicalPlan) -> (plan: LogicalPlan, inputSchema: Schema) {
        let simplified = simplify(plan)
        var need = FieldNeed()
        collect(simplified, &need)
        guard let schema = scanSchema(simplified) else { return (simplified, Schema([])) }
        let pruning = Pruning(schema, need)
        return (rewrite(simplified, pruning), pruning.schema)
    }

    // MARK: - Simplification

    private static func simplify(_ plan: LogicalPlan) -> LogicalPlan {
        switch plan {
        case .oneRow, .scan: plan
        case .filter(let input, let condition):
            filter(simplify(input), BooleanSimplifier.simplified(condition))
        case .project(let input, let items):
            .project(
                simplify(input), items.map { NamedExpression($0.name, BooleanSimplifier.simplified($0.expression)) })
        }
    }

    private static func filter(_ input: LogicalPlan, _ condition: Expression) -> LogicalPlan {
        condition.kind == .literal(.boolean(true)) ? input : .filter(input, condition)
    }

    private static func scanSchema(_ plan: LogicalPlan) -> Schema? {
        switch plan {
        case .oneRow: nil
        case .scan(_, let schema): schema
        case .filter(let input, _), .project(let input, _): scanSchema(input)
        }
    }

    // MARK: - Pruning

    /// Only expressions over the scan's own columns count; what lies above a projection reads that projection.
    private static func collect(_ plan: LogicalPlan, _ need: inout FieldNeed) {
        switch plan {
        case .oneRow: break
        // A plan without a projection gives all its columns.
        case .scan: need.isAll = true
        case .filter(let input, let condition):
            if readsScan(input) { need.add(condition) }
            collect(input, &need)
        case .project(let input, let items):
            guard readsScan(input) else { return collect(input, &need) }
            for item in items { need.add(item.expression) }
            collectFilters(input, &need)
        }
    }

    private static func collectFilters(_ plan: LogicalPlan, _ need: inout FieldNeed) {
        guard case .filter(let input, let condition) = plan else { return }
        need.add(condition)
        collectFilters(input, &need)
    }

    /// Whether the columns of a plan are those of its scan.
    private static func readsScan(_ plan: LogicalPlan) -> Bool {
        switch plan {
        case .oneRow, .scan: true
        case .filter(let input, _): readsScan(input)
        case .project: false
        }
    }

    private static func rewrite(_ plan: LogicalPlan, _ pruning: Pruning) -> LogicalPlan {
        switch plan {
        case .oneRow: return plan
        case .scan(let table, _): return .scan(table: table, schema: pruning.schema)
        case .filter(let input, let condition):
            return .filter(rewrite(input, pruning), readsScan(input) ? pruning.rewritten(condition) : condition)
        case .project(let input, let items):
            guard readsScan(input) else { return .project(rewrite(input, pruning), items) }
            return .project(
                rewrite(input, pruning),
                items.map { NamedExpression($0.name, pruning.rewritten($0.expression)) })
        }
    }
}

/// Which fields of a struct (or columns of a table) are read.
struct FieldNeed {
    var isAll = false
    var fields: [Int: FieldNeed] = [:]

    mutating func add(_ expression: Expression) {
        if let path = Self.path(expression) {
            mark(path[...])
        } else {
            for child in expression.children { add(child) }
        }
    }

    /// A column with fields of fields, from the table down.
    static func path(_ expression: Expression) -> [Int]? {
        switch expression.kind {
        case .column(let index): [index]
        case .member(let base, let index): path(base).map { $0 + [index] }
        default: nil
        }
    }

    private mutating func mark(_ path: ArraySlice<Int>) {
        guard let first = path.first else {
            isAll = true
            return
        }
        fields[first, default: FieldNeed()].mark(path.dropFirst())
    }
}

/// A schema without what is not read, and the new places of what is left.
struct Pruning {
    let schema: Schema
    private let places: [Int: Int]
    private let inner: [Int: Pruning]

    init(_ schema: Schema, _ need: FieldNeed) {
        guard !need.isAll else {
            self.schema = schema
            places = Dictionary(uniqueKeysWithValues: schema.fields.indices.map { ($0, $0) })
            inner = [:]
            return
        }
        var fields: [Field] = []
        var places: [Int: Int] = [:]
        var inner: [Int: Pruning] = [:]
        for (index, field) in schema.fields.enumerated() {
            guard let wanted = need.fields[index] else { continue }
            places[index] = fields.count
            if case .structure(let members) = field.type {
                let pruning = Pruning(members, wanted)
                inner[index] = pruning
                fields.append(Field(field.name, .structure(pruning.schema)))
            } else {
                fields.append(field)
            }
        }
        self.schema = Schema(fields)
        self.places = places
        self.inner = inner
    }

    func rewritten(_ expression: Expression) -> Expression {
        if let path = FieldNeed.path(expression) { return moved(expression, path[...]) }
        return expression.withChildren(expression.children.map { rewritten($0) })
    }

    private func moved(_ expression: Expression, _ path: ArraySlice<Int>) -> Expression {
        var pruning: Pruning? = self
        var schema = self.schema
        var result: Expression?
        for old in path {
            // Below a struct that is kept whole, places stay as they are.
            let place = pruning?.places[old] ?? old
            let type = schema[place].type
            result = Expression(result.map { .member($0, place) } ?? .column(place), type)
            pruning = pruning?.inner[old]
            if case .structure(let members) = type { schema = members }
        }
        return result ?? expression
    }
}
