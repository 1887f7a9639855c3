import Formats
import StreamCore
import Testing

@Suite struct RawTests {
    static func records() -> RecordBlock {
        let block = RecordBlock(topics: ["orders", "returns"])
        let headers = RecordHeaders.encode([RecordHeader("h", [7]), RecordHeader("h", nil)], into: block.arena)
        block.slots = [
            RecordSlot(
                key: block.arena.append("k"), value: block.arena.append("v1"), headers: headers, offset: 41,
                timestamp: 1_704_164_645_123, topic: 0, partition: 3, timestampType: .createTime),
            RecordSlot(value: .null, offset: 42, timestamp: -1, topic: 1, partition: 0, timestampType: .none),
            RecordSlot(
                key: .empty, value: block.arena.append(contentsOf: [0xFF]), offset: 43, timestamp: 0, topic: 1,
                partition: 0,
                timestampType: .logAppendTime),
        ]
        return block
    }

    @Test func theRowIsSparks() throws {
        #expect(
            RawDecoder.fullSchema.description
                == "key binary, value binary, topic string, partition int, offset bigint, timestamp timestamp, "
                + "timestampType int, headers array<struct<key:string,value:binary>>")
        let block = Self.records()
        let (batch, faults) = try RawDecoder(schema: RawDecoder.fullSchema).decode(block)
        #expect(faults.isEmpty)
        #expect(
            show(batch, 0) == "[107] | [118, 49] | 'orders' | 3 | 41 | 1704164645123000 | 0 | [('h', [7]), ('h', null)]"
        )
        #expect(show(batch, 1) == "null | null | 'returns' | 0 | 42 | null | -1 | null")
        #expect(show(batch, 2) == "[] | [255] | 'returns' | 0 | 43 | 0 | 1 | null")
        guard case .binary(let values) = batch.columns[1] else { return }
        #expect(values.arena === block.arena)
    }

    @Test func declaredAsTextItMustBeUTF8() throws {
        let schema = Schema([Field("value", .string), Field("offset", .int64), Field("topic", .string)])
        let (batch, faults) = try RawDecoder(schema: schema).decode(Self.records())
        #expect(faults == [RowFault(row: 2, code: "INVALID_UTF8", message: "The record's value is not valid UTF-8.")])
        #expect(show(batch, 0) == "'v1' | 41 | 'orders'")
        #expect(show(batch, 1) == "null | 42 | 'returns'")
        #expect(show(batch, 2) == "null | null | null")
    }

    @Test func refusesOtherColumns() {
        #expect(throws: StreamError("UNKNOWN_COLUMN", "")) { try RawDecoder(schema: Schema([Field("id", .int32)])) }
        #expect(throws: StreamError("UNSUPPORTED_TYPE", "")) {
            try RawDecoder(schema: Schema([Field("offset", .int32)]))
        }
    }

    @Test func metadataBesideADecodedBatch() throws {
        let records = Self.records()
        let decoded = try JSONDecoder(schema: Schema([Field("a", .int32)])).decode(records)
        #expect(decoded.faults.map(\.row) == [0, 2])
        let names = MetadataColumns.fields.map(\.name)
        #expect(names == ["_key", "_topic", "_partition", "_offset", "_timestamp", "_headers"])
        let batch = MetadataColumns.append(names, of: records, to: decoded.batch)
        #expect(batch.schema.fields.map(\.name) == ["a"] + names)
        #expect(show(batch, 0) == "null | [107] | 'orders' | 3 | 41 | 1704164645123000 | [('h', [7]), ('h', null)]")
        #expect(show(batch, 1) == "null | null | 'returns' | 0 | 42 | null | null")
        #expect(
            MetadataColumns.append(["_offset"], of: records, to: decoded.batch).schema.description
                == "a int, _offset bigint")
        #expect(MetadataColumns.isMetadata("_key") && !MetadataColumns.isMetadata("key"))
    }

    @Test func aColumnBecomesTheValue() throws {
        let schema = Schema([Field("n", .int32), Field("value", .string)])
        let batch = RecordBatch(
            schema: schema, columns: [.int32(FixedColumn([1, 2, 3])), .string(BytesColumn(["x\"", nil, ""]))], count: 3)
        let arena = ByteArena()
        let views = try RawEncoder(schema: schema).encode(batch, into: arena)
        #expect(views.map(\.isNull) == [false, true, false])
        #expect(arena.string(views[0]) == "x\"")
        #expect(views[2].length == 0)
        #expect(throws: StreamError("UNSUPPORTED_TYPE", "")) { try RawEncoder(schema: schema, column: "n") }
        #expect(throws: StreamError("UNKNOWN_COLUMN", "")) {
            try RawEncoder(schema: Schema([Field("a", .string), Field("b", .string)]))
        }
        let one = Schema([Field("line", .string)])
        #expect(try RawEncoder(schema: one).schema == one)
    }

    @Test func keysAsText() throws {
        let arena = ByteArena()
        func texts(_ column: Column) throws -> [String?] {
            try TextEncoder.encode(column, selection: nil, into: arena).map { $0.isNull ? nil : arena.string($0) }
        }
        #expect(try texts(.int64(FixedColumn([-5, nil], default: 0))) == ["-5", nil])
        #expect(try texts(.string(BytesColumn(["a\"b", nil]))) == ["a\"b", nil])
        #expect(try texts(.double(FixedColumn([1.5, .nan]))) == ["1.5", "NaN"])
        // CAST(timestamp AS STRING)
        #expect(
            try texts(.timestamp(FixedColumn([1_704_164_645_120_000, 1_704_164_645_000_000])))
                == ["2024-01-02 03:04:05.12", "2024-01-02 03:04:05"])
        #expect(try texts(.date(FixedColumn([0]))) == ["1970-01-01"])
        let list = ArrayColumn(elements: .string(BytesColumn(["a", nil])), starts: [0], lengths: [2])
        #expect(try texts(.array(list)) == [#"["a",null]"#])
    }

    @Test func formatsByName() throws {
        #expect(try DecoderFormat(name: "json") == .json)
        #expect(try EncoderFormat(name: "raw") == .raw)
        #expect(throws: StreamError("UNKNOWN_FORMAT", "")) { try DecoderFormat(name: "avro") }
        do throws(StreamError) {
            _ = try EncoderFormat(name: "csv")
        } catch {
            #expect(error.description == "[UNKNOWN_FORMAT] There is no output format 'csv'. Use one of: json, raw.")
        }
        #expect(try DecoderFormat.raw.makeDecoder(schema: Schema([Field("offset", .int64)])).schema.count == 1)
        #expect(try EncoderFormat.json.makeEncoder(schema: Schema([])).schema.count == 0)
    }
}
