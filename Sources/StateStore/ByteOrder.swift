#if canImport(Glibc)
    private import Glibc
#else
    private import Musl
#endif

/// The order of bytes in which the disk has keys. RocksDB takes what comes in this order in half the time: each key is
/// looked for from where the one before it went.
enum ByteOrder {
    private struct Entry {
        /// The first bytes: they decide mostly, and lie together.
        var start: UInt64
        var place: Int
    }

    /// - Parameters:
    ///   - places: equal keys stay in their order.
    ///   - start: of a place's key.
    ///   - compare: the keys of two places with the same start.
    /// - Complexity: O(n log n)
    static func sorted(
        _ places: some Sequence<Int>, start: (Int) -> UInt64, compare: (Int, Int) -> Int
    ) -> [Int] {
        var entries = places.map { Entry(start: start($0), place: $0) }
        entries.sort { one, other in
            if one.start != other.start { return one.start < other.start }
            let order = compare(one.place, other.place)
            return order == 0 ? one.place < other.place : order < 0
        }
        return entries.map(\.place)
    }

    /// The first eight bytes, so that numbers are ordered as the bytes are; zeros where there are fewer.
    static func start(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        if bytes.count >= 8 { return UInt64(bigEndian: unsafe bytes.loadUnaligned(as: UInt64.self)) }
        var start: UInt64 = 0
        for at in 0..<8 { start = start << 8 | UInt64(unsafe at < bytes.count ? bytes[at] : 0) }
        return start
    }

    /// As memcmp, and the shorter one first.
    static func compare(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Int {
        let count = min(one.count, other.count)
        // Safety: both have so many bytes.
        if count > 0, let first = one.baseAddress, let second = other.baseAddress {
            let order = unsafe memcmp(first, second, count)
            if order != 0 { return Int(order) }
        }
        return one.count - other.count
    }
}
