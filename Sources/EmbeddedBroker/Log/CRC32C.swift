/// CRC-32C (Castagnoli), the checksum of Kafka's record batches (KIP-98, RFC 3720 appendix B.4).
///
/// Eight table lookups take in eight bytes at a time, which keeps it above a gigabyte a second.
package enum CRC32C {
    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        checksum(bytes.span.bytes)
    }

    package static func checksum(_ bytes: RawSpan) -> UInt32 {
        let held = tables
        let table = held.span
        var crc = UInt32.max
        var at = 0
        let end = bytes.byteCount
        while end - at >= 8 {
            let word = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self))
            let mixed = word ^ UInt64(crc)
            let low =
                table[0x700 + index(mixed, 0)] ^ table[0x600 + index(mixed, 8)]
                ^ table[0x500 + index(mixed, 16)] ^ table[0x400 + index(mixed, 24)]
            let high =
                table[0x300 + index(mixed, 32)] ^ table[0x200 + index(mixed, 40)]
                ^ table[0x100 + index(mixed, 48)] ^ table[index(mixed, 56)]
            crc = low ^ high
            at &+= 8
        }
        while at < end {
            let byte = bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self)
            crc = table[Int((crc ^ UInt32(byte)) & 0xff)] ^ (crc >> 8)
            at &+= 1
        }
        return ~crc
    }

    // MARK: -

    @inline(__always)
    private static func index(_ word: UInt64, _ shift: UInt64) -> Int {
        Int(truncatingIfNeeded: (word &>> shift) & 0xff)
    }

    /// Table k holds the checksum of a byte with k zero bytes behind it.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82f6_3b78 : crc >> 1 }
            tables[byte] = crc
        }
        for at in 256..<tables.count {
            let before = tables[at - 256]
            tables[at] = tables[Int(before & 0xff)] ^ (before >> 8)
        }
        return tables
    }()
}
