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
        let sum = bytes.withUnsafeBytes { checksum(part($0, start, $0.count - start)) }
        put(sum, at: start + 4, of: &bytes)
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

    static func look(_ bytes: UnsafeRawBufferPointer) -> Found {
        guard bytes.count >= headerBytes else { return .cut(0) }
        let length = length(bytes)
        // Larger than any record that is taken: the length itself is damaged.
        guard length <= recordBytesMax, length >= 16 else { return .damaged }
        guard bytes.count - headerBytes >= length else { return .cut(length + headerBytes) }
        let frame = part(bytes, 0, headerBytes + length)
        return checksum(frame) == number(UInt32.self, frame, at: 4) ? .record(frame.count) : .damaged
    }

    private static let continuation: UInt32 = 1 << 31

    /// For bytes that hold a header.
    static func length(_ frame: UnsafeRawBufferPointer) -> Int {
        Int(number(UInt32.self, frame, at: 0) & ~continuation)
    }

    static func isFirst(_ frame: UnsafeRawBufferPointer) -> Bool {
        number(UInt32.self, frame, at: 0) & continuation == 0
    }

    /// The largest record that a receiver may store, with its frame.
    static let recordBytesMax = 64 << 20

    /// Appends a whole, checked frame's record to a block. False: it is not what `append` writes.
    static func decode(_ frame: UnsafeRawBufferPointer, offset: Int64, into block: RecordBlock) -> Bool {
        guard frame.count >= headerBytes + 8 else { return false }
        let timestamp = number(Int64.self, frame, at: headerBytes)
        var at = headerBytes + 8
        guard let key = take(frame, &at, block.arena), let value = take(frame, &at, block.arena) else { return false }
        let headers = part(frame, at, frame.count - at)
        block.slots.append(
            RecordSlot(
                key: key, value: value, headers: headers.isEmpty ? .null : block.arena.append(headers),
                offset: offset, timestamp: timestamp, topic: 0, partition: 0,
                timestampType: timestamp < 0 ? .none : .createTime))
        return true
    }

    private static func take(_ frame: UnsafeRawBufferPointer, _ at: inout Int, _ arena: ByteArena) -> ByteView? {
        guard frame.count - at >= 4 else { return nil }
        let length = Int(number(Int32.self, frame, at: at))
        at += 4
        if length < 0 { return .null }
        guard frame.count - at >= length else { return nil }
        defer { at += length }
        return arena.append(part(frame, at, length))
    }

    /// Bytes of a buffer that has them.
    static func part(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
    }

    // MARK: - Numbers

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    private static func put(_ number: UInt32, at index: Int, of bytes: inout [UInt8]) {
        for byte in 0..<4 { bytes[index + byte] = UInt8(truncatingIfNeeded: number >> (8 * byte)) }
    }

    private static func number<Number: FixedWidthInteger>(
        _ type: Number.Type, _ bytes: UnsafeRawBufferPointer, at offset: Int
    ) -> Number {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// Of the length and the payload: everything but the checksum itself.
    private static func checksum(_ frame: UnsafeRawBufferPointer) -> UInt32 {
        let crc = CRC32.update(.max, part(frame, 0, 4))
        return ~CRC32.update(crc, part(frame, headerBytes, frame.count - headerBytes))
    }
}

/// The checksum of Ethernet and zip, byte by byte.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
    }

    static func update(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        table.withUnsafeBufferPointer { table in
            var crc = crc
            for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8) }
            return crc
        }
    }

    static func of(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { ~update(.max, $0) } }
}
