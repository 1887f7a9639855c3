import ConnectorKit
import Formats
import StreamCore
import Testing

@testable import KafkaConnector

@Suite struct KafkaRecordEncoderTests {
    private static let schema = Schema([
        Field("id", .int64), Field("name", .string), Field("part", .int32), Field("at", .timestamp),
        Field("to", .string),
    ])

    private func batch(
        ids: [Int64] = [1, 2, 3], names: [String?] = ["a", nil, "c"], parts: [Int32?] = [0, nil, 2],
        times: [Int64?] = [1_000, nil, 3_999], topics: [String?] = ["x", "y", "x"]
    ) -> RecordBatch {
        RecordBatch(
            schema: Self.schema,
            columns: [
                .int64(FixedColumn(ids)), .string(BytesColumn(names)), .int32(FixedColumn(parts, default: 0)),
                .timestamp(FixedColumn(times, default: 0)), .string(BytesColumn(topics)),
            ], count: ids.count)
    }

    private func config(
        target: KafkaSinkConfig.Target = .topic("out"), key: String? = nil, value: String? = nil,
        headers: String? = nil,
        partition: String? = nil, timestamp: String? = nil
    ) -> KafkaSinkConfig {
        KafkaSinkConfig(
            connection: KafkaConnection(brokers: ["b:1"]), target: target, key: key, value: value, headers: headers,
            partition: partition, timestamp: timestamp)
    }

    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    @Test func theKeyStaysInTheValueAndRoutingColumnsDoNot() throws {
        let encoder = try KafkaRecordEncoder(
            config(target: .column("to"), key: "name", partition: "part", timestamp: "at"), format: .json,
            schema: Self.schema)
        let (block, faults) = try encoder.encode(batch())
        #expect(faults.isEmpty)
        #expect((0..<3).map { text(block.key($0)) } == ["a", nil, "c"])
        #expect(text(block.value(0)) == #"{"id":1,"name":"a"}"#)
        #expect(block.slots.map(\.partition) == [0, -1, 2])
        #expect(block.slots.map(\.timestamp) == [1, -1, 3])
        #expect(block.slots.map { block.topics[Int($0.topic)].text } == ["x", "y", "x"])
    }

    @Test func aSelectionKeepsItsPlaces() throws {
        let encoder = try KafkaRecordEncoder(config(key: "name", value: "name"), format: .raw, schema: Self.schema)
        var rows = batch()
        rows.selection = [1, 2]
        let (block, _) = try encoder.encode(rows)
        #expect((0..<2).map { text(block.key($0)) } == [nil, "c"])
        #expect((0..<2).map { text(block.value($0)) } == [nil, "c"], "a null value is a tombstone")
    }

    @Test(arguments: [nil, "", ".", "a b", "ä", String(repeating: "x", count: 250)])
    func namesThatAreNoTopicsAreFaults(name: String?) throws {
        let encoder = try KafkaRecordEncoder(config(target: .column("to")), format: .json, schema: Self.schema)
        let (block, faults) = try encoder.encode(batch(topics: ["x", name, "x"]))
        #expect(block.count == 2 && faults.map(\.row) == [1] && faults.map(\.code) == ["NO_TOPIC"])
    }

    @Test func impossiblePartitionsAndTimesAreFaults() throws {
        let encoder = try KafkaRecordEncoder(
            config(partition: "part", timestamp: "at"), format: .json, schema: Self.schema)
        let (block, faults) = try encoder.encode(batch(parts: [-1, 0, 0], times: [0, -1, 0]))
        #expect(block.count == 1)
        #expect(faults.map(\.code) == ["NO_PARTITION", "NEGATIVE_TIMESTAMP"])
    }

    @Test func aRecordOverTheLimitIsAFaultOfItsRow() throws {
        let encoder = try KafkaRecordEncoder(
            config(value: "name"), format: .raw, schema: Self.schema, recordBytesMax: 1_000)
        let (block, faults) = try encoder.encode(batch(names: ["a", String(repeating: "x", count: 1_000), "c"]))
        #expect(block.count == 2 && faults.map(\.row) == [1] && faults.map(\.code) == ["RECORD_TOO_LARGE"])
    }

    @Test func headersComeFromListsAndMaps() throws {
        let entries = Schema([Field("key", .string), Field("value", .binary)])
        let list = ArrayColumn(
            elements: .structure(
                StructColumn(
                    schema: entries,
                    columns: [
                        .string(BytesColumn(["a", "a", "gone"])), .binary(BytesColumn([[1], nil, [3]] as [[UInt8]?])),
                    ], count: 3, nulls: Bitmap.marking([0, 1, 2]) { $0 == 2 })),
            starts: [0, 0], lengths: [3, 0])
        let map = MapColumn(
            keys: .string(BytesColumn(["k"])), values: .string(BytesColumn(["v"])), starts: [0, 0], lengths: [1, 0],
            nulls: Bitmap.marking([0, 1]) { $0 == 1 })
        let expected = [
            "list": [[RecordHeader("a", [1]), RecordHeader("a", nil)], []],
            "map": [[RecordHeader("k", Array("v".utf8))], []],
        ]
        let schema = Schema([
            Field("v", .string), Field("list", .array(.structure(entries))), Field("map", .map(.string, .string)),
        ])
        let rows = RecordBatch(
            schema: schema, columns: [.string(BytesColumn(["x", "y"])), .array(list), .map(map)], count: 2)
        for (name, headers) in expected {
            let encoder = try KafkaRecordEncoder(config(value: "v", headers: name), format: .raw, schema: schema)
            let (block, _) = try encoder.encode(rows)
            #expect((0..<2).map { block.headers($0) } == headers, "\(name)")
        }
    }

    @Test func mistakesAreFoundBeforeTheFirstRow() {
        for (config, code) in [
            (config(key: "nobody"), "UNKNOWN_COLUMN"), (config(headers: "name"), "UNSUPPORTED_TYPE"),
            (config(partition: "name"), "UNSUPPORTED_TYPE"), (config(target: .column("id")), "UNSUPPORTED_TYPE"),
        ] {
            #expect(throws: StreamError(StreamError.Code(code), "")) {
                try KafkaRecordEncoder(config, format: .json, schema: Self.schema)
            }
        }
    }
}
