/// Big-endian numbers and Kafka's zig-zag varints. Callers check the bounds of fixed fields before they read them.
extension RawSpan {
    @inline(__always)
    func number<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Number.Type = Number.self)
        -> Number
    {
        Number(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }
}

extension [UInt8] {
    mutating func append<Number: FixedWidthInteger>(number: Number) {
        var shift = Number.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    mutating func set<Number: FixedWidthInteger>(number: Number, at offset: Int) {
        var at = offset
        var shift = Number.bitWidth
        while shift > 0 {
            shift -= 8
            self[at] = UInt8(truncatingIfNeeded: number >> shift)
            at += 1
        }
    }

    mutating func append(varint value: Int64) {
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}

/// A place in a batch's bytes from which varints are read, none of them beyond `end`.
struct VarintCursor {
    private(set) var position: Int
    let end: Int

    init(at position: Int, end: Int) {
        self.position = position
        self.end = end
    }

    var remaining: Int { end - position }

    @inline(__always)
    mutating func byte(_ bytes: RawSpan) throws(BatchError) -> UInt8 {
        guard position < end else { throw .invalidRecord("a record ends in the middle of a field") }
        defer { position += 1 }
        return bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self)
    }

    /// At most ten bytes, as Kafka's `ByteUtils.readVarlong`.
    @inline(__always)
    mutating func varlong(_ bytes: RawSpan) throws(BatchError) -> Int64 {
        // Nearly all are of one byte.
        let first = UInt64(try byte(bytes))
        if first < 0x80 { return Int64(bitPattern: first >> 1) ^ -Int64(bitPattern: first & 1) }
        position -= 1
        return try longVarlong(bytes)
    }

    private mutating func longVarlong(_ bytes: RawSpan) throws(BatchError) -> Int64 {
        var raw: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte(bytes)
            raw |= UInt64(next & 0x7f) &<< shift
            if next < 0x80 { break }
            shift += 7
            guard shift <= 63 else { throw .invalidRecord("a variable-length number is too long") }
        }
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    @inline(__always)
    mutating func varint(_ bytes: RawSpan) throws(BatchError) -> Int32 {
        guard let value = Int32(exactly: try varlong(bytes)) else {
            throw .invalidRecord("a variable-length number is too long")
        }
        return value
    }

    /// A length and that many bytes; nil where the length is negative.
    mutating func field(_ bytes: RawSpan) throws(BatchError) -> Range<Int>? {
        let length = Int(try varint(bytes))
        guard length >= 0 else { return nil }
        guard length <= remaining else { throw .invalidRecord("a field is longer than its record") }
        defer { position += length }
        return position..<(position + length)
    }
}
