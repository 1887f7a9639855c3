/// Appends messages to bytes.
package struct WireWriter {
    package let version: Int16
    package let isFlexible: Bool
    package private(set) var bytes: [UInt8] = []
    /// Record batches that were left where they are, with their places in `bytes`.
    private var detached: [(at: Int, records: ArraySlice<UInt8>)] = []
    private var detachedCount = 0
    private let detachedMin: Int

    /// - Parameter detachedMin: record batches of so many bytes are not copied; see `pieces`.
    package init(version: Int16, isFlexible: Bool, reserving capacity: Int = 0, detachingFrom detachedMin: Int = .max) {
        self.version = version
        self.isFlexible = isFlexible
        self.detachedMin = detachedMin
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    mutating func append(contentsOf more: [UInt8]) {
        bytes.append(contentsOf: more)
    }

    /// Writes the length of all that follows the first four bytes into them.
    mutating func sealFrame() throws(WireError) {
        let length = bytes.count - 4 + detachedCount
        guard length >= 0, let length = Int32(exactly: length) else { throw .tooLong(length) }
        for index in 0..<4 {
            bytes[index] = UInt8(truncatingIfNeeded: length >> Int32(24 - 8 * index))
        }
    }

    /// All that was written, in order.
    var pieces: [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        for (at, records) in detached {
            pieces.append(bytes[start..<at])
            pieces.append(records)
            start = at
        }
        pieces.append(bytes[start...])
        return pieces
    }

    mutating func varint(_ value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func length<Prefix: FixedWidthInteger & SignedInteger>(
        _ length: Int?, _: Prefix.Type, nullable: Bool
    ) throws(WireError) {
        guard length != nil || nullable else { throw .unexpectedNull }
        guard var prefix = Prefix(exactly: length ?? -1) else { throw .tooLong(length ?? -1) }
        if isFlexible {
            varint(UInt32(truncatingIfNeeded: (length ?? -1) + 1))
        } else {
            try integer(&prefix)
        }
    }
}

extension WireWriter: WireCoder {
    package mutating func integer<Value: FixedWidthInteger>(_ value: inout Value) throws(WireError) {
        for shift in stride(from: Value.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    package mutating func string(_ value: inout String?, nullable: Bool) throws(WireError) {
        let text = value?.utf8
        try length(text?.count, Int16.self, nullable: nullable)
        if let text { bytes.append(contentsOf: text) }
    }

    package mutating func field(_ value: inout [UInt8]) throws(WireError) {
        try length(value.count, Int32.self, nullable: false)
        bytes.append(contentsOf: value)
    }

    package mutating func field(_ value: inout ArraySlice<UInt8>?) throws(WireError) {
        try length(value?.count, Int32.self, nullable: true)
        guard let value else { return }
        if value.count < detachedMin {
            bytes.append(contentsOf: value)
        } else {
            detached.append((bytes.count, value))
            detachedCount += value.count
        }
    }

    package mutating func array<Element>(
        _ value: inout [Element]?, nullable: Bool, blank: Element,
        code: (inout WireWriter, inout Element) throws(WireError) -> Void
    ) throws(WireError) {
        try length(value?.count, Int32.self, nullable: nullable)
        guard let value else { return }
        for element in value {
            var element = element
            try code(&self, &element)
        }
    }

    package mutating func startTags() throws(WireError) -> TaggedFields { TaggedFields() }

    package mutating func tagged(
        _ tag: UInt32, in tags: inout TaggedFields, isSet: Bool, code: (inout WireWriter) throws(WireError) -> Void
    ) throws(WireError) {
        guard isFlexible, isSet else { return }
        var writer = WireWriter(version: version, isFlexible: isFlexible)
        try code(&writer)
        guard let size = Int32(exactly: writer.bytes.count) else { throw .tooLong(writer.bytes.count) }
        var head = WireWriter(version: version, isFlexible: isFlexible)
        head.varint(tag)
        head.varint(UInt32(size))
        tags.count += 1
        tags.bytes += head.bytes
        tags.bytes += writer.bytes
    }

    package mutating func endTags(_ tags: TaggedFields) throws(WireError) {
        guard isFlexible else { return }
        varint(tags.count)
        bytes.append(contentsOf: tags.bytes)
    }

    package mutating func noTags() throws(WireError) {
        if isFlexible { varint(0) }
    }
}
