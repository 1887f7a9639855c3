import Glibc

/// What MD5 and the SHA family share: blocks of words, and a message that ends in its own length.
enum DigestBlocks {
    /// Calls `body` with each block of `size` bytes of the message with its padding.
    static func forEach(
        _ message: UnsafeRawBufferPointer, size: Int, lengthIsBigEndian: Bool, _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        let whole = message.count / size * size
        var start = 0
        while start < whole {
            body(UnsafeRawBufferPointer(rebasing: message[start..<start + size]))
            start += size
        }
        // A one bit, zeros, and the length in bits in the last eighth of a block.
        var tail = Array(message[whole...]) + [0x80]
        while tail.count % size != size - size / 8 { tail.append(0) }
        var length = [UInt8](repeating: 0, count: size / 8)
        let bits = UInt64(message.count) &* 8
        for index in 0..<8 {
            let place = lengthIsBigEndian ? length.count - 1 - index : index
            length[place] = UInt8(truncatingIfNeeded: bits >> UInt64(8 * index))
        }
        tail += length
        tail.withUnsafeBytes { padded in
            for start in stride(from: 0, to: padded.count, by: size) {
                body(UnsafeRawBufferPointer(rebasing: padded[start..<start + size]))
            }
        }
    }

    static func bytes<Word: FixedWidthInteger>(bigEndian words: [Word]) -> [UInt8] {
        words.map(\.bigEndian).withUnsafeBytes { Array($0) }
    }
}

extension FixedWidthInteger {
    @inline(__always) func turnedLeft(_ count: Self) -> Self { self &<< count | self &>> (Self(Self.bitWidth) - count) }
    @inline(__always) func turnedRight(_ count: Self) -> Self {
        self &>> count | self &<< (Self(Self.bitWidth) - count)
    }
}

/// RFC 1321.
enum MD5 {
    private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
    private static let sines: [UInt32] = (0..<64).map { UInt32(abs(sin(Double($0 + 1))) * 4_294_967_296) }

    static func digest(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
        DigestBlocks.forEach(message, size: 64, lengthIsBigEndian: false) { block in
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            for step in 0..<64 {
                let mixed: UInt32
                let place: Int
                switch step / 16 {
                case 0: (mixed, place) = (b & c | ~b & d, step)
                case 1: (mixed, place) = (d & b | ~d & c, (5 * step + 1) % 16)
                case 2: (mixed, place) = (b ^ c ^ d, (3 * step + 5) % 16)
                default: (mixed, place) = (c ^ (b | ~d), 7 * step % 16)
                }
                let word = UInt32(littleEndian: block.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self))
                let sum = a &+ mixed &+ sines[step] &+ word
                (a, d, c) = (d, c, b)
                b = b &+ sum.turnedLeft(shifts[step / 16 * 4 + step % 4])
            }
            for (index, value) in [a, b, c, d].enumerated() { state[index] = state[index] &+ value }
        }
        return DigestBlocks.bytes(bigEndian: state.map(\.byteSwapped))
    }
}

/// FIPS 180-4.
enum SHA1 {
    static func digest(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        var words = [UInt32](repeating: 0, count: 80)
        DigestBlocks.forEach(message, size: 64, lengthIsBigEndian: true) { block in
            for index in 0..<16 {
                words[index] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
            }
            for index in 16..<80 {
                words[index] = (words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16]).turnedLeft(
                    1)
            }
            var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
            for step in 0..<80 {
                let (mixed, constant): (UInt32, UInt32) =
                    switch step / 20 {
                    case 0: (b & c | ~b & d, 0x5A82_7999)
                    case 1: (b ^ c ^ d, 0x6ED9_EBA1)
                    case 2: (b & c | b & d | c & d, 0x8F1B_BCDC)
                    default: (b ^ c ^ d, 0xCA62_C1D6)
                    }
                let sum = a.turnedLeft(5) &+ mixed &+ e &+ constant &+ words[step]
                (e, d, c, b, a) = (d, c, b.turnedLeft(30), a, sum)
            }
            for (index, value) in [a, b, c, d, e].enumerated() { state[index] = state[index] &+ value }
        }
        return DigestBlocks.bytes(bigEndian: state)
    }
}

/// SHA-256 and SHA-224 (FIPS 180-4).
enum SHA256 {
    static func digest(_ message: UnsafeRawBufferPointer, isShort: Bool) -> [UInt8] {
        let start = isShort ? SHA2.initial224 : SHA2.initial256
        let state = SHA2.run(
            message, start, SHA2.constants32, (2, 13, 22), (6, 11, 25), (7, 18, 3), (17, 19, 10))
        return Array(DigestBlocks.bytes(bigEndian: state).prefix(isShort ? 28 : 32))
    }
}

/// SHA-512 and SHA-384 (FIPS 180-4).
enum SHA512 {
    static func digest(_ message: UnsafeRawBufferPointer, isShort: Bool) -> [UInt8] {
        let start = isShort ? SHA2.initial384 : SHA2.initial512
        let state = SHA2.run(
            message, start, SHA2.constants64, (28, 34, 39), (14, 18, 41), (1, 8, 7), (19, 61, 6))
        return Array(DigestBlocks.bytes(bigEndian: state).prefix(isShort ? 48 : 64))
    }
}
