/// Murmur3 (x86, 32 bits) as Spark has it: the bytes behind the last whole word are mixed in one by one, sign-extended.
struct SparkMurmur3: ChainedHash {
    private(set) var state: UInt32 = 42

    init() {}
    init(seed: UInt32) { state = seed }

    mutating func add(_ value: Int32) {
        mix(UInt32(bitPattern: value))
        finish(4)
    }

    mutating func add(_ value: Int64) {
        let bits = UInt64(bitPattern: value)
        mix(UInt32(truncatingIfNeeded: bits))
        mix(UInt32(truncatingIfNeeded: bits >> 32))
        finish(8)
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index + 4 <= bytes.count {
            mix(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)))
            index += 4
        }
        while index < bytes.count {
            mix(UInt32(bitPattern: Int32(Int8(bitPattern: bytes[index]))))
            index += 1
        }
        finish(UInt32(truncatingIfNeeded: bytes.count))
    }

    /// One word into the state.
    mutating func mix(_ word: UInt32) {
        let first = word &* 0xCC9E_2D51
        let turned = (first &<< 15 | first &>> 17) &* 0x1B87_3593
        let mixed = state ^ turned
        state = (mixed &<< 13 | mixed &>> 19) &* 5 &+ 0xE654_6B64
    }

    mutating func finish(_ length: UInt32) {
        state ^= length
        state ^= state &>> 16
        state = state &* 0x85EB_CA6B
        state ^= state &>> 13
        state = state &* 0xC2B2_AE35
        state ^= state &>> 16
    }
}

/// XXH64.
struct XXHash64: ChainedHash {
    private(set) var state: UInt64 = 42

    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    init() {}

    mutating func add(_ value: Int32) {
        var hash = state &+ Self.prime5 &+ 4
        hash ^= UInt64(UInt32(bitPattern: value)) &* Self.prime1
        state = Self.avalanche(Self.turned(hash, 23) &* Self.prime2 &+ Self.prime3)
    }

    mutating func add(_ value: Int64) {
        let hash = state &+ Self.prime5 &+ 8
        state = Self.avalanche(Self.word(hash, UInt64(bitPattern: value)))
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        var hash: UInt64
        if bytes.count >= 32 {
            var lanes = (
                state &+ Self.prime1 &+ Self.prime2, state &+ Self.prime2, state, state &- Self.prime1
            )
            while index + 32 <= bytes.count {
                lanes.0 = Self.round(lanes.0, Self.load(bytes, index))
                lanes.1 = Self.round(lanes.1, Self.load(bytes, index + 8))
                lanes.2 = Self.round(lanes.2, Self.load(bytes, index + 16))
                lanes.3 = Self.round(lanes.3, Self.load(bytes, index + 24))
                index += 32
            }
            hash =
                Self.turned(lanes.0, 1) &+ Self.turned(lanes.1, 7) &+ Self.turned(lanes.2, 12)
                &+ Self.turned(lanes.3, 18)
            for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
                hash = (hash ^ Self.round(0, lane)) &* Self.prime1 &+ Self.prime4
            }
        } else {
            hash = state &+ Self.prime5
        }
        hash = hash &+ UInt64(bytes.count)
        while index + 8 <= bytes.count {
            hash = Self.word(hash, Self.load(bytes, index))
            index += 8
        }
        if index + 4 <= bytes.count {
            hash ^=
                UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))) &* Self.prime1
            hash = Self.turned(hash, 23) &* Self.prime2 &+ Self.prime3
            index += 4
        }
        while index < bytes.count {
            hash ^= UInt64(bytes[index]) &* Self.prime5
            hash = Self.turned(hash, 11) &* Self.prime1
            index += 1
        }
        state = Self.avalanche(hash)
    }

    private static func word(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        turned(hash ^ round(0, word), 27) &* prime1 &+ prime4
    }

    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        turned(lane &+ word &* prime2, 31) &* prime1
    }

    private static func avalanche(_ hash: UInt64) -> UInt64 {
        var hash = hash
        hash ^= hash &>> 33
        hash = hash &* prime2
        hash ^= hash &>> 29
        hash = hash &* prime3
        return hash ^ hash &>> 32
    }

    private static func turned(_ value: UInt64, _ count: UInt64) -> UInt64 { value &<< count | value &>> (64 - count) }

    private static func load(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    }
}

/// CRC-32 of zlib, one table look-up per byte.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index)
        for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
        return value
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var state = ~UInt32(0)
        for byte in bytes { state = state >> 8 ^ table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] }
        return ~state
    }
}
