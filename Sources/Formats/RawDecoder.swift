public import StreamCore
public final class RawDecoder: RowDecoder {
    public let schema: Schema
    public init(schema: Schema) throws(StreamError) { self.schema = schema }
    public func decode(_ block: RecordBlock, rows: [Int32]?) -> (batch: RecordBatch, faults: [RowFault]) { fatalError() }
}
