/// A hash that is the same in every process, on every machine and in every version: XXH64 of bytes (Yann Collet's
/// xxHash, seed 0). Where keys go is decided by it, so that it must never change. Not for secrets, and no defence
/// against keys that are chosen to collide.
public enum StableHash {
    /// - Complexity: O(bytes), 8 bytes at a time.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let count = bytes.count
        var at = 0
        var hash: UInt64
        if count >= 32 {
            var lanes = (prime1 &+ prime2, prime2, UInt64(0), 0 &- prime1)
            while at + 32 <= count {
                lanes.0 = round(lanes.0, unsafe word(bytes, at))
                lanes.1 = round(lanes.1, unsafe word(bytes, at + 8))
                lanes.2 = round(lanes.2, unsafe word(bytes, at + 16))
                lanes.3 = round(lanes.3, unsafe word(bytes, at + 24))
                at += 32
            }
            hash = rotate(lanes.0, 1) &+ rotate(lanes.1, 7) &+ rotate(lanes.2, 12) &+ rotate(lanes.3, 18)
            for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
                hash = (hash ^ round(0, lane)) &* prime1 &+ prime4
            }
        } else {
            hash = prime5
        }
        hash = hash &+ UInt64(count)
        while at + 8 <= count {
            hash = rotate(hash ^ round(0, unsafe word(bytes, at)), 27) &* prime1 &+ prime4
            at += 8
        }
        if at + 4 <= count {
            let half = UInt64(UInt32(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
            hash = rotate(hash ^ (half &* prime1), 23) &* prime2 &+ prime3
            at += 4
        }
        while at < count {
            hash = rotate(hash ^ (UInt64(unsafe bytes[at]) &* prime5), 11) &* prime1
            at += 1
        }
        return avalanche(hash)
    }

    /// The hash of a text's UTF-8, without a copy of it.
    public static func hash(_ text: String) -> UInt64 {
        var text = text
        return text.withUTF8 { unsafe hash(UnsafeRawBufferPointer($0)) }
    }

    public static func hash(_ bytes: [UInt8]) -> UInt64 { unsafe bytes.withUnsafeBytes { unsafe hash($0) } }

    // MARK: - The parts of XXH64

    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt64 {
        // Safety: every caller has looked that 8 bytes follow, and the load checks it again in debug builds.
        unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    }

    @inline(__always)
    private static func rotate(_ number: UInt64, _ by: UInt64) -> UInt64 { (number &<< by) | (number &>> (64 &- by)) }

    @inline(__always)
    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotate(lane &+ word &* prime2, 31) &* prime1
    }

    private static func avalanche(_ hash: UInt64) -> UInt64 {
        var hash = (hash ^ (hash &>> 33)) &* prime2
        hash = (hash ^ (hash &>> 29)) &* prime3
        return hash ^ (hash &>> 32)
    }
}
