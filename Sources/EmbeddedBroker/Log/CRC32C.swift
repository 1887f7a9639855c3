/// CRC-32C (Castagnoli), the checksum of Kafka's record batches (KIP-98, RFC 3720 appendix B.4).
///
/// Sixteen tables take in sixteen bytes at a time, which keeps it above a gigabyte a second.
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
        while end - at >= 16 {
            let first = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self))
            let second = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: at + 8, as: UInt64.self))
            crc = eight(first ^ UInt64(crc), 8, table) ^ eight(second, 0, table)
            at &+= 16
        }
        while at < end {
            let byte = bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self)
            crc = table[Int((crc ^ UInt32(byte)) & 0xff)] ^ (crc >> 8)
            at &+= 1
        }
        return ~crc
    }

    // MARK: -

    /// What eight bytes do to the checksum, with as many bytes behind them as `behind` says.
    @inline(__always)
    private static func eight(_ word: UInt64, _ behind: Int, _ table: Span<UInt32>) -> UInt32 {
        let base = behind << 8
        let low =
            table[base + 0x700 + index(word, 0)] ^ table[base + 0x600 + index(word, 8)]
            ^ table[base + 0x500 + index(word, 16)] ^ table[base + 0x400 + index(word, 24)]
        let high =
            table[base + 0x300 + index(word, 32)] ^ table[base + 0x200 + index(word, 40)]
            ^ table[base + 0x100 + index(word, 48)] ^ table[base + index(word, 56)]
        return low ^ high
    }

    @inline(__always)
    private static func index(_ word: UInt64, _ shift: UInt64) -> Int {
        Int(truncatingIfNeeded: (word &>> shift) & 0xff)
    }

    /// Table k holds the checksum of a byte with k zero bytes behind it.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 16 * 256)
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
