import StreamCore

/// A record in a write-ahead log: length, checksum, payload. Numbers are little endian.
///
///     payload length: 4 bytes │ CRC-32 of length and payload: 4 bytes │ payload
///
/// The length's highest bit says that the record was written and flushed together with the one before.
///
///     payload: timestamp 8 │ key length 4, -1: none │ key │ value length 4, -1: none │ value │ headers, to the end
enum SegmentFrame {
    static let headerBytes = 8

    /// - Parameter isFirst: of what is flushed at once.
    static func append(_ record: Record, isFirst: Bool = true, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes += [UInt8](repeating: 0, count: headerBytes)
        append(record.timestampMs ?? -1, to: &bytes)
        append(record.key, to: &bytes)
        append(record.value, to: &bytes)
        if !record.headers.isEmpty {
            let arena = ByteArena()
            bytes += arena.array(RecordHeaders.encode(record.headers, into: arena))
        }
        let length = UInt32(clamping: bytes.count - start - headerBytes)
        put(isFirst ? length : length | continuation, at: start, of: &bytes)
        put(checksum(bytes[start...]), at: start + 4, of: &bytes)
    }

    private static func append(_ content: RecordContent, to bytes: inout [UInt8]) {
        switch content {
        case .null: append(Int32(-1), to: &bytes)
        case .text(let text):
            append(Int32(clamping: text.utf8.count), to: &bytes)
            bytes += text.utf8
        case .bytes(let more):
            append(Int32(clamping: more.count), to: &bytes)
            bytes += more
        }
    }

    /// What lies at a place in some bytes.
    enum Found: Equatable {
        /// A whole record, so many bytes with its header.
        case record(Int)
        /// It goes on behind the end, so many bytes with its header; 0: not even the header is whole.
        case cut(Int)
        case damaged
    }

    static func look(_ bytes: ArraySlice<UInt8>) -> Found {
        guard bytes.count >= headerBytes else { return .cut(0) }
        let length = length(bytes)
        // Larger than any record that is taken: the length itself is damaged.
        guard length <= recordBytesMax, length >= 16 else { return .damaged }
        guard bytes.count - headerBytes >= length else { return .cut(length + headerBytes) }
        let frame = bytes.prefix(headerBytes + length)
        return checksum(frame) == number(UInt32.self, frame.dropFirst(4)) ? .record(frame.count) : .damaged
    }

    private static let continuation: UInt32 = 1 << 31

    static func length(_ frame: ArraySlice<UInt8>) -> Int { Int(number(UInt32.self, frame) & ~continuation) }
    static func isFirst(_ frame: ArraySlice<UInt8>) -> Bool { number(UInt32.self, frame) & continuation == 0 }

    /// The largest record that a receiver may store, with its frame.
    static let recordBytesMax = 64 << 20

    /// Appends a whole, checked frame's record to a block. False: it is not what `append` writes.
    static func decode(_ frame: ArraySlice<UInt8>, offset: Int64, into block: RecordBlock) -> Bool {
        var rest = frame.dropFirst(headerBytes)
        guard rest.count >= 8 else { return false }
        let timestamp = number(Int64.self, rest)
        rest = rest.dropFirst(8)
        guard let key = take(&rest, block.arena), let value = take(&rest, block.arena) else { return false }
        block.slots.append(
            RecordSlot(
                key: key, value: value, headers: rest.isEmpty ? .null : block.arena.append(contentsOf: rest),
                offset: offset, timestamp: timestamp, topic: 0, partition: 0,
                timestampType: timestamp < 0 ? .none : .createTime))
        return true
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, _ arena: ByteArena) -> ByteView? {
        guard rest.count >= 4 else { return nil }
        let length = Int(number(Int32.self, rest))
        rest = rest.dropFirst(4)
        if length < 0 { return .null }
        guard rest.count >= length else { return nil }
        defer { rest = rest.dropFirst(length) }
        return arena.append(contentsOf: rest.prefix(length))
    }

    // MARK: - Numbers

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    private static func put(_ number: UInt32, at index: Int, of bytes: inout [UInt8]) {
        for byte in 0..<4 { bytes[index + byte] = UInt8(truncatingIfNeeded: number >> (8 * byte)) }
    }

    private static func number<Number: FixedWidthInteger>(_ type: Number.Type, _ bytes: ArraySlice<UInt8>) -> Number {
        bytes.prefix(MemoryLayout<Number>.size).reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    /// Of the length and the payload: everything but the checksum itself.
    private static func checksum(_ frame: ArraySlice<UInt8>) -> UInt32 {
        let crc = CRC32.update(.max, frame.prefix(4))
        return ~CRC32.update(crc, frame.dropFirst(headerBytes))
    }
}

/// The checksum of Ethernet and zip, byte by byte.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
    }

    static func update(_ crc: UInt32, _ bytes: ArraySlice<UInt8>) -> UInt32 {
        table.withUnsafeBufferPointer { table in
            bytes.reduce(crc) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ ($0 >> 8) }
        }
    }

    static func of(_ bytes: [UInt8]) -> UInt32 { ~update(.max, bytes[...]) }
}
