public import StreamCore

/// Collects the bytes of encoded state. Numbers are little endian.
public struct StateWriter: Sendable {
    public internal(set) var bytes: [UInt8] = []
    /// Why a value could not be encoded. Whoever writes the bytes anywhere looks at it before, with `check`.
    public private(set) var failure: StreamError?

    public init() {}

    /// Forgets the bytes and keeps their memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        failure = nil
    }

    /// A value has no bytes: what is written now must not be used.
    public mutating func fail(_ error: StreamError) { if failure == nil { failure = error } }

    func check() throws(StreamError) { if let failure { throw failure } }

    /// Appends a number of as many bytes as its type has.
    @inlinable
    public mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        // Safety: the bytes are copied before the call returns.
        unsafe withUnsafeBytes(of: number.littleEndian) { unsafe append(contentsOf: $0) }
    }

    /// Bytes without their length.
    public mutating func append(contentsOf more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// A value among others: with its length where its type does not fix it.
    public mutating func append<Value: StateCodable>(nested value: Value) {
        if Value.isFixed { return value.encode(to: &self) }
        let start = bytes.count
        bytes.append(0)
        value.encode(to: &self)
        let length = bytes.count - start - 1
        // Mostly the length fits into the one byte left for it, so that nothing has to move.
        if length < 0x80 {
            bytes[start] = UInt8(length)
        } else {
            var prefix = StateWriter()
            prefix.append(count: length)
            bytes.replaceSubrange(start...start, with: prefix.bytes)
        }
    }

    /// A length or another number that is mostly small: 7 bits a byte, the lowest first (LEB128).
    public mutating func append(count: Int) {
        var rest = UInt64(count)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Takes encoded state apart, bounds checked: bytes come from topics and files.
public struct StateReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var at: Int

    public init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        at = bytes.startIndex
    }

    public var isAtEnd: Bool { at == bytes.endIndex }

    /// Bytes that are left.
    public var remaining: Int { bytes.endIndex - at }

    /// Everything that is left.
    public mutating func takeRest() -> ArraySlice<UInt8> {
        defer { at = bytes.endIndex }
        return bytes[at...]
    }

    /// What `StateWriter.append(nested:)` wrote.
    public mutating func read<Value: StateCodable>(nested type: Value.Type) throws(StreamError) -> Value {
        let count = if Value.isFixed, let size = Value.encodedSize { size } else { try readCount() }
        var part = StateReader(try take(count))
        return try Value(whole: &part)
    }

    /// A number that `StateWriter.append` wrote.
    /// A number of as many bytes as its type has.
    public mutating func read<Number: FixedWidthInteger>(_ type: Number.Type) throws(StreamError) -> Number {
        var number: Number = 0
        for (index, byte) in try take(MemoryLayout<Number>.size).enumerated() {
            number |= Number(truncatingIfNeeded: byte) &<< Number(truncatingIfNeeded: 8 * index)
        }
        return number
    }

    /// So many bytes.
    /// The next bytes, as many as asked for.
    /// - Throws: `STATE_DAMAGED` where there are fewer.
    public mutating func take(_ count: Int) throws(StreamError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.endIndex - at else { throw Self.damaged }
        defer { at += count }
        return bytes[at..<at + count]
    }

    /// A number that `append(count:)` wrote.
    /// What `append(count:)` wrote.
    public mutating func readCount() throws(StreamError) -> Int {
        var result: UInt64 = 0
        for shift in stride(from: 0, to: 63, by: 7) {
            let byte = try read(UInt8.self)
            result |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return Int(result) }
        }
        throw Self.damaged
    }

    static var damaged: StreamError {
        StreamError(
            "STATE_DAMAGED", "Bytes of a query's state are not what this program writes.",
            remedy: "See that nothing else writes to its changelog topics and its state folder, and that the program's "
                + "state types are those it was written with.", domain: .external)
    }
}
