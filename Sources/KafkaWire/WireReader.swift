/// Reads messages out of a frame. Every length is checked against the bytes that are left before it is used.
package struct WireReader {
    package let version: Int16
    package let isFlexible: Bool
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: ArraySlice<UInt8>, version: Int16, isFlexible: Bool) {
        self.bytes = bytes
        self.version = version
        self.isFlexible = isFlexible
        position = bytes.startIndex
    }

    package var remaining: Int { bytes.endIndex - position }
    /// What was not read yet.
    package var rest: ArraySlice<UInt8> { bytes[position...] }

    package mutating func message<Message: WireMessage>() throws(WireError) -> Message {
        var message = Message()
        try message.code(&self)
        return message
    }

    mutating func take(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
        guard count <= remaining else { throw .truncated }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func varint() throws(WireError) -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), through: 28, by: 7) {
            guard remaining > 0 else { throw .truncated }
            let byte = bytes[position]
            position += 1
            guard shift < 28 || byte <= 0x0F else { throw .invalidVarint }
            value |= UInt32(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw .invalidVarint
    }

    /// The length of what follows, nil for null; `Prefix` is how it is written where versions are not flexible.
    private mutating func length<Prefix: FixedWidthInteger & SignedInteger>(
        _: Prefix.Type, nullable: Bool
    ) throws(WireError) -> Int? {
        let length: Int64
        if isFlexible {
            length = Int64(try varint()) - 1
        } else {
            var prefix: Prefix = 0
            try integer(&prefix)
            length = Int64(prefix)
        }
        guard length != -1 else {
            guard nullable else { throw .unexpectedNull }
            return nil
        }
        // No field, and no element of a list, is shorter than a byte.
        guard length >= 0, length <= remaining else { throw .invalidLength(length) }
        return Int(length)
    }
}

extension WireReader: WireCoder {
    package mutating func integer<Value: FixedWidthInteger>(_ value: inout Value) throws(WireError) {
        let size = Value.bitWidth / 8
        guard size <= remaining else { throw .truncated }
        var bits: Value = 0
        for index in position..<position + size {
            bits = bits << 8 | Value(truncatingIfNeeded: bytes[index])
        }
        position += size
        value = bits
    }

    package mutating func string(_ value: inout String?, nullable: Bool) throws(WireError) {
        guard let length = try length(Int16.self, nullable: nullable) else {
            value = nil
            return
        }
        guard length <= Int16.max else { throw .invalidLength(Int64(length)) }
        guard let text = String(validating: try take(length), as: UTF8.self) else { throw .invalidText }
        value = text
    }

    package mutating func field(_ value: inout [UInt8]) throws(WireError) {
        value = []
        if let length = try length(Int32.self, nullable: false) { value = Array(try take(length)) }
    }

    package mutating func field(_ value: inout ArraySlice<UInt8>?) throws(WireError) {
        guard let length = try length(Int32.self, nullable: true) else {
            value = nil
            return
        }
        value = try take(length)
    }

    package mutating func array<Element>(
        _ value: inout [Element]?, nullable: Bool, blank: Element,
        code: (inout WireReader, inout Element) throws(WireError) -> Void
    ) throws(WireError) {
        guard let count = try length(Int32.self, nullable: nullable) else {
            value = nil
            return
        }
        var elements: [Element] = []
        // A struct in memory is larger than its shortest form in bytes: a long list has to prove itself as it grows.
        elements.reserveCapacity(min(count, 64))
        for _ in 0..<count {
            var element = blank
            try code(&self, &element)
            elements.append(element)
        }
        value = elements
    }

    package mutating func startTags() throws(WireError) -> TaggedFields {
        guard isFlexible else { return TaggedFields() }
        let count = try varint()
        let start = position
        for _ in 0..<count { _ = try tag() }
        return TaggedFields(count: count, bytes: bytes[start..<position])
    }

    package mutating func tagged(
        _ tag: UInt32, in tags: inout TaggedFields, isSet: Bool, code: (inout WireReader) throws(WireError) -> Void
    ) throws(WireError) {
        var section = WireReader(tags.bytes, version: version, isFlexible: isFlexible)
        for _ in 0..<tags.count {
            let entry = try section.tag()
            guard entry.tag == tag else { continue }
            var reader = WireReader(entry.contents, version: version, isFlexible: isFlexible)
            try code(&reader)
            guard reader.remaining == 0 else { throw .invalidTag(tag) }
            return
        }
    }

    package mutating func endTags(_ tags: TaggedFields) throws(WireError) {}

    /// Passes over tagged fields that a later version may have put there.
    package mutating func noTags() throws(WireError) {
        guard isFlexible else { return }
        for _ in 0..<(try varint()) { _ = try tag() }
    }

    private mutating func tag() throws(WireError) -> (tag: UInt32, contents: ArraySlice<UInt8>) {
        let tag = try varint()
        let size = try varint()
        guard size <= remaining else { throw .invalidLength(Int64(size)) }
        return (tag, try take(Int(size)))
    }
}
