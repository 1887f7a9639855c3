public import StreamCore

/// A query made ready to run over record batches. One per task: not to be shared between threads.
///
/// ```swift
/// let plan = try LogicalPlan.parse("SELECT id FROM orders WHERE amount > 0", tables: ["orders": schema])
/// let query = CompiledQuery(plan)
/// let result = query.run(batch, now: batchTime)   // batch has the columns of query.requiredSchema
/// ```
public final class CompiledQuery {
    /// What the query needs of its input: only the columns, and of structs only the fields, that it reads. Decode
    /// these.
    public let requiredSchema: Schema
    public let outputSchema: Schema
    private let stages: [Stage]
    private let zone: TimeZone

    private enum Stage {
        case filter(Node)
        case project([Node], Schema)
    }

    /// What became of a batch: its rows that came through, and those that failed.
    public struct Result {
        /// Has a place for every row of the input batch: row `i` comes from input row `i`. Rows that were filtered out,
        /// or failed, are not in its selection.
        public var output: RecordBatch
        /// For each output row, in order, its input row; nil means that all rows came through.
        public var origins: [Int32]? { output.selection }
        /// At most one per row, ascending by row; these rows are in no output.
        public var faults: [RowFault]
    }

    public init(_ plan: LogicalPlan, options: SQLOptions = SQLOptions()) {
        zone = options.zone
        let optimized = Optimizer.optimized(plan)
        requiredSchema = optimized.inputSchema
        outputSchema = plan.schema
        let compiler = PlanCompiler(zone: options.zone)
        var stages: [Stage] = []
        Self.collect(optimized.plan, compiler, &stages)
        self.stages = stages
    }

    private static func collect(_ plan: LogicalPlan, _ compiler: PlanCompiler, _ stages: inout [Stage]) {
        switch plan {
        case .oneRow, .scan: break
        case .filter(let input, let condition):
            collect(input, compiler, &stages)
            stages.append(.filter(compiler.node(condition)))
        case .project(let input, let items):
            collect(input, compiler, &stages)
            let schema = Schema(items.map { Field($0.name, $0.expression.type) })
            stages.append(.project(items.map { compiler.node($0.expression) }, schema))
        }
    }

    /// Filters and projects one batch. A column that is passed through is not copied.
    /// - Parameters:
    ///   - batch: columns as in `requiredSchema`.
    ///   - now: the epoch's time in microseconds since 1970-01-01 UTC.
    public func run(_ batch: RecordBatch, now: Int64) -> Result {
        precondition(batch.schema.count == requiredSchema.count, "the batch must have the required columns")
        var columns = batch.columns
        var schema = batch.schema
        var rows = Rows(count: batch.count, indices: batch.selection)
        var faults: [RowFault] = []
        for stage in stages {
            let context = EvaluationContext(columns: columns, count: batch.count, now: now, zone: zone)
            switch stage {
            case .filter(let condition):
                rows = condition.select(rows, context).without(context.faults.rows)
            case .project(let nodes, let output):
                var results: [Column] = []
                results.reserveCapacity(nodes.count)
                for node in nodes {
                    results.append(node.evaluate(rows, context).expanded(batch.count))
                    // A row that has failed is not looked at again.
                    rows = rows.without(context.faults.rows)
                }
                columns = results
                schema = output
            }
            faults += context.faults.faults
        }
        faults.sort { $0.row < $1.row }
        let output = RecordBatch(schema: schema, columns: columns, count: batch.count, selection: rows.indices)
        return Result(output: output, faults: faults)
    }
}
