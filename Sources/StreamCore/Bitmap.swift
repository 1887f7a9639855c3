/// A fixed number of bits in 64-bit words. In columns a set bit means *null*, and a column without nulls has no bitmap.
public struct Bitmap: Hashable, Sendable {
    public private(set) var count: Int
    /// Bits beyond `count` are zero.
    @usableFromInline var words: [UInt64]

    public init(count: Int, repeating value: Bool = false) {
        self.count = count
        words = [UInt64](repeating: value ? ~0 : 0, count: (count + 63) / 64)
        clearTail()
    }

    /// Takes words as they are laid out by a decoder; bits beyond `count` are cleared.
    public init(count: Int, words: [UInt64]) {
        precondition(words.count == (count + 63) / 64)
        self.count = count
        self.words = words
        clearTail()
    }

    /// Whether the bit is set; `index` must be below `count`.
    @inlinable
    public subscript(index: Int) -> Bool {
        get { words[index &>> 6] &>> UInt64(index & 63) & 1 != 0 }
        set {
            let mask: UInt64 = 1 &<< UInt64(index & 63)
            if newValue { words[index &>> 6] |= mask } else { words[index &>> 6] &= ~mask }
        }
    }

    public mutating func append(_ bit: Bool) {
        if count & 63 == 0 { words.append(0) }
        count += 1
        if bit { self[count - 1] = true }
    }

    /// How many bits are set.
    /// - Complexity: O(count / 64)
    public var setCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    public var isAnySet: Bool { words.contains { $0 != 0 } }

    /// The bits that are set in either, or nil if neither is there: the nulls of a binary operator.
    public static func union(_ a: Bitmap?, _ b: Bitmap?) -> Bitmap? {
        guard var result = a else { return b }
        guard let b else { return result }
        for index in result.words.indices { result.words[index] |= b.words[index] }
        return result
    }

    private mutating func clearTail() {
        if count & 63 != 0, !words.isEmpty { words[words.count - 1] &= (1 &<< UInt64(count & 63)) &- 1 }
    }
}
