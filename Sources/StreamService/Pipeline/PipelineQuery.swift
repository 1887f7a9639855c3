import CommitProtocol
import ConnectorKit
import Formats
import KafkaClient
import KafkaConnector
import StreamCore
import StreamEngine
import StreamSQL

/// A pipeline's SQL over its sources' columns: what the checks of a file and the run both need.
struct PipelineQuery {
    let plan: LogicalPlan
    /// The source that the query reads.
    let source: PipelineConfig.Source

    /// - Throws: `StreamError` for what `lint` would have found.
    init(_ config: PipelineConfig) throws {
        let tables = Dictionary(
            uniqueKeysWithValues: config.sources.map { ($0.name, Self.columns($0.format, $0.schema)) })
        do throws(SQLError) {
            plan = try LogicalPlan.parse(config.query.text, tables: tables)
        } catch {
            throw error.streamError(file: config.file)
        }
        guard let name = plan.table,
            let source = config.sources.first(where: { $0.name.lowercased() == name.lowercased() })
        else {
            throw StreamError(
                "NO_SOURCE", "The query of '\(config.name)' reads no source.", remedy: "Add FROM and a source's name.",
                domain: .user, place: .init(file: config.file, line: config.query.start.line))
        }
        self.source = source
    }

    /// Whether records must be read with their headers: somebody may want to see them again.
    func readsHeaders(_ config: PipelineConfig) -> Bool {
        let column = source.format == .raw ? RawDecoder.headers : MetadataColumns.headers
        return config.errorPolicy.keepsHeaders
            || CompiledQuery(plan).requiredSchema.fields.contains { $0.name == column }
    }

    /// The columns of a source as the query sees them: Spark's for `raw`, else the declared ones and the metadata.
    static func columns(_ format: PipelineConfig.Format, _ declared: Schema?) -> Schema {
        switch format {
        case .raw: RawDecoder.fullSchema
        case .json: Schema((declared ?? Schema([])).fields + MetadataColumns.fields)
        }
    }

    /// A program for one task.
    /// - Parameter recordBytesMax: by sink.
    func makeProgram(
        _ config: PipelineConfig, writers: [String: SinkWriter], recordBytesMax: [String: Int]
    ) throws -> any TaskProgram {
        let query = CompiledQuery(plan)
        let required = query.requiredSchema.fields
        let format: DecoderFormat = source.format == .raw ? .raw : .json
        let metadata = format == .raw ? [] : required.map(\.name).filter(MetadataColumns.isMetadata)
        let decoder = try format.makeDecoder(schema: Schema(required.filter { !metadata.contains($0.name) }))
        let outputs = try config.sinks.map { sink -> SQLProgram.Output in
            let format: EncoderFormat = sink.format == .raw ? .raw : .json
            switch sink.output {
            case .kafka(let kafka):
                return .kafka(
                    try KafkaRecordEncoder(
                        kafka, format: format, schema: query.outputSchema,
                        recordBytesMax: recordBytesMax[sink.name] ?? 1_000_000))
            case .connector:
                guard let writer = writers[sink.name] else { throw Self.missingWriter(sink.name) }
                return .other(try format.makeEncoder(schema: query.outputSchema), writer)
            }
        }
        return SQLProgram(
            decoder: decoder, metadata: metadata, query: query, outputs: outputs,
            faults: FaultHandler(policy: config.errorPolicy, query: config.name))
    }

    private static func missingWriter(_ sink: String) -> StreamError {
        StreamError("NO_SINK", "The sink '\(sink)' was not opened.")
    }
}

extension PipelineConfig {
    var errorPolicy: ErrorPolicy {
        switch errors.policy {
        case .fail: .fail
        case .skip: .skip
        case .deadLetter: errors.topic.map(ErrorPolicy.deadLetter) ?? .fail
        }
    }

    /// Whether one instance at a time runs the query: something in it is not Kafka.
    var isOwned: Bool {
        let hasOtherSource = sources.contains { if case .connector = $0.input { true } else { false } }
        let hasOtherSink = sinks.contains { if case .connector = $0.output { true } else { false } }
        return hasOtherSource || hasOtherSink
    }

    func queryOptions(reading source: Source) -> QueryOptions {
        var options = QueryOptions(name: name)
        options.guarantee = guarantee == .exactlyOnce ? .exactlyOnce : .atLeastOnce
        options.trigger =
            switch trigger {
            case .asap: .asap
            case .interval(let interval): .interval(interval)
            case .once: .once
            case .availableNow: .availableNow
            }
        options.isOwned = isOwned
        options.memoryBytes = memoryBytes
        options.latencyTarget = latencyTarget
        options.commitPause = cluster == nil ? .zero : CommitOptions.defaultCommitPause
        options.faultCeiling = errors.ceiling.map { Int(clamping: $0) }
        options.defaultStart = .earliest
        guard case .kafka(let kafka) = source.input else { return options }
        options.continuesOnDataLoss = kafka.onDataLoss == .continue
        options.offsetsPerTriggerMax = kafka.offsetsPerTriggerMax
        switch kafka.start {
        case .earliest: options.defaultStart = .earliest
        case .latest: options.defaultStart = .latest
        case .timestamp(let milliseconds): options.defaultStart = .timestamp(milliseconds: milliseconds)
        case .offsets(let offsets): options.partitionStarts = offsets
        }
        return options
    }
}

extension PipelineChecks {
    /// The checks that need the SQL module.
    public static let sql = PipelineChecks(
        schema: { text in
            do throws(SQLError) {
                let schema = try Schema.parse(text)
                let clashes = schema.fields.filter { MetadataColumns.isMetadata($0.name) }.map { field in
                    Finding(line: 1, column: 1, "'\(field.name)' is the name of a metadata column")
                }
                return SchemaAnswer(schema: schema, findings: clashes)
            } catch {
                return SchemaAnswer(schema: nil, findings: error.findings)
            }
        },
        query: { text, tables in
            let schemas = tables.map { ($0.name, PipelineQuery.columns($0.format, $0.schema)) }
            do throws(SQLError) {
                let plan = try LogicalPlan.parse(text, tables: Dictionary(schemas) { first, _ in first })
                guard plan.table != nil else {
                    return QueryAnswer(
                        columns: nil, findings: [Finding(line: 1, column: 1, "the query reads no source")])
                }
                return QueryAnswer(columns: plan.schema.fields.map(\.name))
            } catch {
                return QueryAnswer(columns: nil, findings: error.findings)
            }
        })
}

extension SQLError {
    var findings: [PipelineChecks.Finding] {
        diagnostics.map { .init(line: $0.position.line, column: $0.position.column, "[\($0.code)] \($0.message)") }
    }
}
