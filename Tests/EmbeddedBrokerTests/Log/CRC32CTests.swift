import EmbeddedBroker
import Testing

@Suite struct CRC32CTests {
    /// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
    @Test func knownVectors() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)[...]) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)[...]) == 0x62a8_ab43)
        #expect(CRC32C.checksum([UInt8](0..<32)[...]) == 0x46dd_794e)
        #expect(CRC32C.checksum([UInt8]((0..<32).reversed())[...]) == 0x113f_db5c)
        #expect(CRC32C.checksum(text("123456789")[...]) == 0xe306_9283)
        #expect(CRC32C.checksum([]) == 0)
    }

    /// Eight bytes at a time and one bit at a time give the same, at all lengths and starts.
    @Test func agreesWithTheDefinition() {
        var numbers = SeededNumbers(state: 1)
        let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &numbers) }
        for start in 0..<9 {
            for end in start...bytes.count {
                var crc = UInt32.max
                for byte in bytes[start..<end] {
                    crc ^= UInt32(byte)
                    for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82f6_3b78 : crc >> 1 }
                }
                #expect(CRC32C.checksum(bytes[start..<end]) == ~crc)
            }
        }
    }
}
