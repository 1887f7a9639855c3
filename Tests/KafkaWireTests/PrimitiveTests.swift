import Testing

@testable import KafkaWire

/// The protocol's primitive types, byte by byte as Kafka's protocol guide (and KIP-482) has them.
@Suite struct PrimitiveTests {
    private func written(flexible: Bool = false, _ write: (inout WireWriter) throws -> Void) rethrows -> [UInt8] {
        var writer = WireWriter(version: 0, isFlexible: flexible)
        try write(&writer)
        return writer.bytes
    }

    private func reader(_ bytes: [UInt8], flexible: Bool = false) -> WireReader {
        WireReader(bytes[...], version: 0, isFlexible: flexible)
    }

    @Test func integersAreBigEndian() throws {
        var byte: Int8 = -2
        var short: Int16 = 0x0102
        var int: Int32 = -1
        var long: Int64 = .min
        let bytes = try written {
            try $0.field(&byte)
            try $0.field(&short)
            try $0.field(&int)
            try $0.field(&long)
        }
        #expect(bytes == [0xFE, 1, 2, 255, 255, 255, 255, 0x80, 0, 0, 0, 0, 0, 0, 0])
        var reader = reader(bytes)
        var values: (Int8, Int16, Int32, Int64) = (0, 0, 0, 0)
        try reader.field(&values.0)
        try reader.field(&values.1)
        try reader.field(&values.2)
        try reader.field(&values.3)
        #expect(values == (-2, 0x0102, -1, .min))
        #expect(reader.remaining == 0)
    }

    private static let samples: [(UInt32, [UInt8])] = [
        (0, [0]), (127, [0x7F]), (128, [0x80, 0x01]), (300, [0xAC, 0x02]), (.max, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
    ]

    @Test(arguments: samples) func varints(value: UInt32, bytes: [UInt8]) throws {
        #expect(written { $0.varint(value) } == bytes)
        var reader = reader(bytes)
        #expect(try reader.varint() == value)
    }

    @Test func varintsHaveThirtyTwoBits() {
        var tooLarge = reader([0xFF, 0xFF, 0xFF, 0xFF, 0x1F])
        #expect(throws: WireError.invalidVarint) { try tooLarge.varint() }
        var endless = reader([0x80, 0x80, 0x80, 0x80, 0x80, 0x01])
        #expect(throws: WireError.invalidVarint) { try endless.varint() }
        var cut = reader([0x80])
        #expect(throws: WireError.truncated) { try cut.varint() }
    }

    @Test func texts() throws {
        var text = "hé"
        #expect(try written { try $0.field(&text) } == [0, 3, 0x68, 0xC3, 0xA9])
        #expect(try written(flexible: true) { try $0.field(&text) } == [4, 0x68, 0xC3, 0xA9])
        var none: String?
        #expect(try written { try $0.field(&none) } == [255, 255])
        #expect(try written(flexible: true) { try $0.field(&none) } == [0])
        #expect(throws: WireError.unexpectedNull) { try written { try $0.field(&none, nullable: false) } }
        var null = reader([255, 255])
        #expect(throws: WireError.unexpectedNull) { try null.field(&text) }
        var invalid = reader([0, 2, 0xC3, 0x28])
        #expect(throws: WireError.invalidText) { try invalid.field(&text) }
        var long = String(repeating: "x", count: 32_768)
        #expect(throws: WireError.tooLong(32_768)) { try written { try $0.field(&long) } }
        #expect(throws: WireError.tooLong(32_768)) { try written(flexible: true) { try $0.field(&long) } }
    }

    @Test func lists() throws {
        var numbers: [Int32] = [1, 2]
        #expect(try written { try $0.field(&numbers) } == [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2])
        #expect(try written(flexible: true) { try $0.field(&numbers) } == [3, 0, 0, 0, 1, 0, 0, 0, 2])
        var none: [String]?
        #expect(try written { try $0.field(&none) } == [255, 255, 255, 255])
        #expect(try written(flexible: true) { try $0.field(&none) } == [0])
        var read: [Int32] = [9]
        var empty = reader([1], flexible: true)
        try empty.field(&read)
        #expect(read.isEmpty)
    }

    /// Record batches are lent, not copied: they keep their place in the frame.
    @Test func recordsAreSlices() throws {
        var reader = reader([0, 0, 0, 2, 8, 9, 7])
        var records: ArraySlice<UInt8>?
        try reader.field(&records)
        #expect(records == [8, 9])
        #expect(records?.startIndex == 4)
        #expect(reader.rest == [7])
    }

    @Test func booleansAndIDs() throws {
        var flag = false
        var set = reader([2])
        try set.field(&flag)
        #expect(flag)
        #expect(try written { try $0.field(&flag) } == [1])
        var id = WireUUID(high: 0x0102_0304_0506_0708, low: 9)
        #expect(try written { try $0.field(&id) } == [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 9])
    }

    /// As Kafka's clients take it.
    @Test func unknownErrorCodesAreServerErrors() throws {
        var code = ErrorCode.none
        var reader = reader([0x7F, 0xFF, 0, 47])
        try reader.field(&code)
        #expect(code == .unknownServerError)
        try reader.field(&code)
        #expect(code == .invalidProducerEpoch)
    }
}
