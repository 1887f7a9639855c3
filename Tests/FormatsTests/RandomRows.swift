import Formats
import StreamCore
import Testing

/// Rows of every type, at random from a seed.
enum RandomRows {
    static let item = Schema([Field("sku", .string), Field("qty", .int16)])
    static let schema = Schema([
        Field("flag", .boolean), Field("i8", .int8), Field("i16", .int16), Field("i32", .int32), Field("i64", .int64),
        Field("f", .float), Field("d", .double), Field("dec", .decimal(precision: 38, scale: 9)), Field("s", .string),
        Field("bin", .binary), Field("date", .date), Field("ym", .yearMonthInterval), Field("dt", .dayTimeInterval),
        Field("ts", .timestamp), Field("list", .array(.string)),
        Field("map", .map(.string, .int64)), Field("items", .array(.structure(item))),
        Field("nested \"key\"\n", .structure(item)),
    ])

    static func batch(_ count: Int, _ random: inout StableRandom) -> RecordBatch {
        let columns = schema.fields.map { column($0.type, count, &random) }
        return RecordBatch(schema: schema, columns: columns, count: count)
    }

    static func text(_ random: inout StableRandom) -> String {
        let parts = [
            "", "a", "xyz", "\"", "\\", "\n", "\u{1}", "\u{1f}", "é", "😀", "\u{7f}", "/",
            String(repeating: "w", count: 40),
        ]
        return (0..<Int.random(in: 0...4, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }
            .joined()
    }

    private static func column(_ type: DataType, _ count: Int, _ random: inout StableRandom) -> Column {
        func some<Value>(_ make: (inout StableRandom) -> Value) -> [Value?] {
            (0..<count).map { _ in Int.random(in: 0..<5, using: &random) == 0 ? nil : make(&random) }
        }
        let bits: (inout StableRandom) -> UInt64 = { $0.next() >> UInt64.random(in: 0..<64, using: &$0) }
        switch type {
        case .boolean: return .boolean(FixedColumn(some { Bool.random(using: &$0) }, default: false))
        case .int8: return .int8(FixedColumn(some { Int8(truncatingIfNeeded: bits(&$0)) }, default: 0))
        case .int16: return .int16(FixedColumn(some { Int16(truncatingIfNeeded: bits(&$0)) }, default: 0))
        case .int32: return .int32(FixedColumn(some { Int32(truncatingIfNeeded: bits(&$0)) }, default: 0))
        case .int64: return .int64(FixedColumn(some { Int64(bitPattern: bits(&$0)) }, default: 0))
        case .float:
            return .float(
                FixedColumn(some { Float(bitPattern: UInt32.random(in: 0..<0x7F80_0000, using: &$0)) }, default: 0))
        case .double:
            return .double(
                FixedColumn(
                    some { Double(bitPattern: UInt64.random(in: 0..<0x7FF0_0000_0000_0000, using: &$0)) }, default: 0))
        case .decimal(let precision, let scale):
            let values = some { Int128(Int64(bitPattern: bits(&$0))) * Int128(Int64(bitPattern: bits(&$0)) >> 2) }
            return .decimal(DecimalColumn(FixedColumn(values, default: 0), precision: precision, scale: scale))
        case .string: return .string(BytesColumn(some { text(&$0) }))
        case .binary: return .binary(BytesColumn(some { Array(text(&$0).utf8) }))
        case .date: return .date(FixedColumn(some { Int32.random(in: -800_000..<3_000_000, using: &$0) }, default: 0))
        case .timestamp:
            // Whole milliseconds: the encoder cuts the rest.
            return .timestamp(
                FixedColumn(
                    some { Int64.random(in: -60_000_000_000_000...250_000_000_000_000, using: &$0) * 1000 }, default: 0)
            )
        case .yearMonthInterval:
            return .yearMonthInterval(FixedColumn(some { Int32(truncatingIfNeeded: bits(&$0)) }, default: 0))
        case .dayTimeInterval:
            return .dayTimeInterval(FixedColumn(some { Int64(bitPattern: bits(&$0)) }, default: 0))
        case .array(let element):
            let (starts, lengths, total) = ranges(count, &random)
            return .array(ArrayColumn(elements: column(element, total, &random), starts: starts, lengths: lengths))
        case .map(_, let value):
            let (starts, lengths, total) = ranges(count, &random)
            let keys = (0..<total).map { "\(text(&random))\($0)" as String? }
            return .map(
                MapColumn(
                    keys: .string(BytesColumn(keys)), values: column(value, total, &random), starts: starts,
                    lengths: lengths))
        case .structure(let schema):
            let nulls = Bitmap.marking(some { $0.next() }) { $0 == nil }
            return .structure(
                StructColumn(
                    schema: schema, columns: schema.fields.map { column($0.type, count, &random) }, count: count,
                    nulls: nulls))
        default: return .null(count)
        }
    }

    private static func ranges(_ count: Int, _ random: inout StableRandom) -> ([Int32], [Int32], Int) {
        let lengths = (0..<count).map { _ in Int32.random(in: 0...3, using: &random) }
        var starts: [Int32] = []
        var total: Int32 = 0
        for length in lengths {
            starts.append(total)
            total += length
        }
        return (starts, lengths, Int(total))
    }
}

@Suite struct RoundTripTests {
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func whatIsEncodedDecodesToTheSame(_ seed: UInt64) throws {
        var random = StableRandom(seed: seed)
        let encoder = try JSONEncoder(schema: RandomRows.schema)
        let decoder = try JSONDecoder(schema: RandomRows.schema)
        for _ in 0..<10 {
            var rows = RandomRows.batch(100, &random)
            rows.selection = (0..<100).filter { _ in Bool.random(using: &random) }
            let output = RecordBlock(topics: ["t"])
            output.slots = try encoder.encode(rows, into: output.arena).map { RecordSlot(value: $0) }
            let (batch, faults) = decoder.decode(output)
            #expect(faults.isEmpty, "seed \(seed): \(faults)")
            #expect(batch.count == rows.selectedCount)
            for (index, row) in (rows.selection ?? []).enumerated() {
                #expect(show(batch, index) == show(rows, Int(row)), "seed \(seed)")
                #expect(ReferenceJSON.isObject(output.value(index) ?? []), "seed \(seed)")
            }
        }
    }
}
