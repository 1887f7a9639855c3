import CommitProtocol
import Formats
import KafkaConnector
import StreamCore
import StreamEngine
import StreamSQL

/// A pipeline's one stage: decode, filter, project, encode. One per task.
///
/// ```
///   block ─▶ decoder ─▶ (metadata columns) ─▶ query ─▶ encoder of each sink ─▶ blocks
///              │ faults                        │ faults       │ faults
///              └───────────────────────────────┴──────────────┴──▶ error policy
/// ```
final class SQLProgram: TaskProgram {
    /// Where the rows of the result go.
    enum Output {
        case kafka(KafkaRecordEncoder)
        /// Written by user output, once the epoch's plan is durable.
        case other(any RowEncoder, SinkWriter)
    }

    private let decoder: any RowDecoder
    private let metadata: [String]
    private let query: CompiledQuery
    private let outputs: [Output]
    private let faults: FaultHandler

    init(
        decoder: any RowDecoder, metadata: [String], query: CompiledQuery, outputs: [Output], faults: FaultHandler
    ) {
        self.decoder = decoder
        self.metadata = metadata
        self.query = query
        self.outputs = outputs
        self.faults = faults
    }

    func process(_ input: TaskInput, into output: inout TaskOutput) {
        guard case .records(let block, let context) = input else { return }
        do throws(StreamError) {
            try process(block, context, &output)
        } catch {
            output.failure = output.failure ?? error
        }
    }

    private func process(_ block: RecordBlock, _ context: EpochContext, _ output: inout TaskOutput) throws(StreamError)
    {
        var (batch, bad) = decoder.decode(block)
        if !metadata.isEmpty { batch = MetadataColumns.append(metadata, of: block, to: batch) }
        batch.selection = Self.rows(batch.selection, of: batch.count, without: bad)
        let result = query.run(batch, now: context.batchTimeMs * 1000)
        bad += result.faults
        let written = try write(result.output, &bad, &output)
        output.counts.read += block.count
        output.counts.bytesRead += block.arena.count
        output.counts.emittedFrom += written
        let faulty = Set(bad.map(\.row)).count
        output.counts.filtered += block.count - faulty - written
        faults.handle(bad, in: block, context, into: &output)
    }

    /// Encodes for every sink; a row that one of them cannot take goes to none.
    /// - Returns: how many rows were written.
    private func write(
        _ rows: RecordBatch, _ bad: inout [RowFault], _ output: inout TaskOutput
    ) throws(StreamError) -> Int {
        guard rows.selectedCount > 0 else { return 0 }
        var rows = rows
        while true {
            var blocks: [RecordBlock] = []
            var found: [RowFault] = []
            for target in outputs {
                let (block, faults) = try Self.encode(rows, target)
                blocks.append(block)
                found += faults
            }
            if found.isEmpty {
                deliver(blocks, &output)
                return rows.selectedCount
            }
            bad += found
            rows.selection = Self.rows(rows.selection, of: rows.count, without: found)
        }
    }

    private static func encode(
        _ rows: RecordBatch, _ target: Output
    ) throws(StreamError) -> (block: RecordBlock, faults: [RowFault]) {
        switch target {
        case .kafka(let encoder): return try encoder.encode(rows)
        case .other(let encoder, _):
            let block = RecordBlock(slotCapacity: rows.selectedCount, topics: [""])
            for view in try encoder.encode(rows, into: block.arena) { block.slots.append(RecordSlot(value: view)) }
            return (block, [])
        }
    }

    private func deliver(_ blocks: [RecordBlock], _ output: inout TaskOutput) {
        for (target, block) in zip(outputs, blocks) {
            output.counts.written += block.count
            output.counts.bytesWritten += block.arena.count
            switch target {
            case .kafka: output.blocks.append(block)
            case .other(_, let writer):
                output.userOutputs.append(UserOutput(bytes: block.byteSize) { _ in try writer.write(block) })
            }
        }
    }

    /// The selected rows less the faulty ones.
    private static func rows(_ selection: [Int32]?, of count: Int, without faults: [RowFault]) -> [Int32]? {
        guard !faults.isEmpty else { return selection }
        let faulty = Set(faults.map(\.row))
        return (selection ?? Array(0..<Int32(count))).filter { !faulty.contains($0) }
    }
}
