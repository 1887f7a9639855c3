import StreamCore

/// A compiled expression. A tree of these is built once per query and task; nothing in it is shared between tasks.
class Node {
    let type: DataType

    init(type: DataType) { self.type = type }

    /// The value at each of `rows`; errors go to the context's faults and give null.
    func evaluate(_ rows: Rows, _ context: EvaluationContext) -> Vector {
        preconditionFailure("a node evaluates itself")
    }

    /// The rows where a condition is true: not null, not false, not faulted.
    func select(_ rows: Rows, _ context: EvaluationContext) -> Rows {
        guard !rows.isEmpty else { return rows }
        let vector = evaluate(rows, context)
        guard case .boolean(let column) = vector.column else { return Rows(count: rows.count, indices: []) }
        let mask = vector.mask
        return rows.filter { column.values[$0 & mask] && !column.isNull($0 & mask) }
    }

    /// The one-row column of a constant.
    var constant: Column? { nil }
}

final class ConstantNode: Node {
    private let column: Column

    init(_ column: Column, type: DataType) {
        self.column = column
        super.init(type: type)
    }

    override var constant: Column? { column }
    override func evaluate(_ rows: Rows, _ context: EvaluationContext) -> Vector { Vector(constant: column) }
}

/// A constant expression that fails: an error of every row that reaches it, as in Spark.
final class FaultNode: Node {
    private let error: RowError

    init(_ error: RowError, type: DataType) {
        self.error = error
        super.init(type: type)
    }

    override func evaluate(_ rows: Rows, _ context: EvaluationContext) -> Vector {
        rows.forEachRow { context.faults.add(error, row: $0) }
        return Vector(constant: Column.of([.null], type: type))
    }
}

/// A column of the input, passed on without a copy.
final class ColumnNode: Node {
    private let index: Int

    init(_ index: Int, type: DataType) {
        self.index = index
        super.init(type: type)
    }

    override func evaluate(_ rows: Rows, _ context: EvaluationContext) -> Vector { Vector(context.columns[index]) }
}

/// A field of a struct.
final class MemberNode: Node {
    private let base: Node
    private let index: Int

    init(_ base: Node, _ index: Int, type: DataType) {
        self.base = base
        self.index = index
        super.init(type: type)
    }

    override func evaluate(_ rows: Rows, _ context: EvaluationContext) -> Vector {
        let vector = base.evaluate(rows, context)
        guard case .structure(let column) = vector.column else {
            return Vector(constant: Column.of([.null], type: type))
        }
        var result = vector
        result.column = column.columns[index].withNulls(column.nulls)
        return result
    }
}

final class CastNode: Node {
    private let inner: Node
    private let cast: Cast

    init(_ inner: Node, _ cast: Cast) {
        self.inner = inner
        self.cast = cast
        super.init(type: cast.to)
    }

    override func evaluate(_ rows: Rows, _ context: EvaluationContext) -> Vector {
        let vector = inner.evaluate(rows, context)
        guard !vector.isConstant else {
            return ConstantEvaluation.run(rows, context) { one, scratch in cast.apply(vector.column, one, scratch) }
        }
        return Vector(cast.apply(vector.column, rows, context))
    }
}

/// An eager or prepared function.
final class CallNode: Node {
    private let arguments: [Node]
    private let function: ScalarFunction
    private let body: (Call) -> Column

    init(_ function: ScalarFunction, _ arguments: [Node], type: DataType, body: @escaping (Call) -> Column) {
        self.function = function
        self.arguments = arguments
        self.body = body
        super.init(type: type)
    }

    override func evaluate(_ rows: Rows, _ context: EvaluationContext) -> Vector {
        let vectors = arguments.map { $0.evaluate(rows, context) }
        if function.isFoldable, vectors.allSatisfy(\.isConstant) {
            return ConstantEvaluation.run(rows, context) { one, scratch in body(call(vectors, one, scratch)) }
        }
        return Vector(body(call(vectors, rows, context)))
    }

    private func call(_ vectors: [Vector], _ rows: Rows, _ context: EvaluationContext) -> Call {
        Call(
            arguments: vectors, rows: rows, type: type, context: context, propagatesNulls: function.propagatesNulls,
            isTry: function.isTry)
    }
}

/// A function that evaluates its operands itself.
final class LazyNode: Node {
    private let operands: [Node]
    private let body: @Sendable (LazyCall) -> Column

    init(_ operands: [Node], type: DataType, body: @escaping @Sendable (LazyCall) -> Column) {
        self.operands = operands
        self.body = body
        super.init(type: type)
    }

    override func evaluate(_ rows: Rows, _ context: EvaluationContext) -> Vector {
        Vector(body(LazyCall(operands: operands, rows: rows, type: type, context: context)))
    }
}

/// AND as a filter: every operand narrows the rows of the next.
final class AndNode: Node {
    private let operands: [Node]

    init(_ operands: [Node]) {
        self.operands = operands
        super.init(type: .boolean)
    }

    override func evaluate(_ rows: Rows, _ context: EvaluationContext) -> Vector {
        Vector(Logic.and(LazyCall(operands: operands, rows: rows, type: type, context: context)))
    }

    override func select(_ rows: Rows, _ context: EvaluationContext) -> Rows {
        operands.reduce(rows) { $1.select($0, context) }
    }
}

/// A lazy function's operands, to be evaluated for the rows that need them.
struct LazyCall {
    let operands: [Node]
    let rows: Rows
    let type: DataType
    let context: EvaluationContext

    /// The operand's value at these rows.
    func evaluate(_ index: Int, _ rows: Rows) -> Vector { operands[index].evaluate(rows, context) }
}

/// Computes on one row what holds for all.
enum ConstantEvaluation {
    static func run(
        _ rows: Rows, _ context: EvaluationContext, _ body: (Rows, EvaluationContext) -> Column
    ) -> Vector {
        let scratch = EvaluationContext(columns: [], count: 1, now: context.now, zone: context.zone)
        let column = body(Rows(count: 1), scratch)
        if let fault = scratch.faults.faults.first {
            rows.forEachRow { context.faults.add(RowError(fault.code, fault.message), row: $0) }
        }
        return Vector(constant: column)
    }
}

extension Column {
    /// With further nulls.
    func withNulls(_ more: Bitmap?) -> Column {
        guard let more else { return self }
        switch self {
        case .null: return self
        case .boolean(var column):
            column.nulls = .union(column.nulls, more)
            return .boolean(column)
        case .int8(var column):
            column.nulls = .union(column.nulls, more)
            return .int8(column)
        case .int16(var column):
            column.nulls = .union(column.nulls, more)
            return .int16(column)
        case .int32(var column):
            column.nulls = .union(column.nulls, more)
            return .int32(column)
        case .int64(var column):
            column.nulls = .union(column.nulls, more)
            return .int64(column)
        case .float(var column):
            column.nulls = .union(column.nulls, more)
            return .float(column)
        case .double(var column):
            column.nulls = .union(column.nulls, more)
            return .double(column)
        case .decimal(var column):
            column.unscaled.nulls = .union(column.unscaled.nulls, more)
            return .decimal(column)
        case .string(var column):
            column.nulls = .union(column.nulls, more)
            return .string(column)
        case .binary(var column):
            column.nulls = .union(column.nulls, more)
            return .binary(column)
        case .date(var column):
            column.nulls = .union(column.nulls, more)
            return .date(column)
        case .timestamp(var column):
            column.nulls = .union(column.nulls, more)
            return .timestamp(column)
        case .yearMonthInterval(var column):
            column.nulls = .union(column.nulls, more)
            return .yearMonthInterval(column)
        case .dayTimeInterval(var column):
            column.nulls = .union(column.nulls, more)
            return .dayTimeInterval(column)
        case .calendarInterval(var column):
            column.nulls = .union(column.nulls, more)
            return .calendarInterval(column)
        case .array(var column):
            column.nulls = .union(column.nulls, more)
            return .array(column)
        case .map(var column):
            column.nulls = .union(column.nulls, more)
            return .map(column)
        case .structure(var column):
            column.nulls = .union(column.nulls, more)
            return .structure(column)
        }
    }
}
