/// A direction in which messages travel: a reading coder fills fields, a writing coder appends them.
///
/// Messages name their fields once, in `WireMessage.code`, for both directions. In flexible versions (KIP-482) lengths
/// are variable-length numbers and every struct ends in tagged fields; the coder knows, messages need not.
package protocol WireCoder {
    var version: Int16 { get }
    var isFlexible: Bool { get }

    mutating func integer<Value: FixedWidthInteger>(_ value: inout Value) throws(WireError)
    mutating func string(_ value: inout String?, nullable: Bool) throws(WireError)
    mutating func field(_ value: inout [UInt8]) throws(WireError)
    /// Record batches. A reader lends them out of the frame, a writer copies them into it.
    mutating func field(_ value: inout ArraySlice<UInt8>?) throws(WireError)
    mutating func array<Element>(
        _ value: inout [Element]?, nullable: Bool, blank: Element,
        code: (inout Self, inout Element) throws(WireError) -> Void
    ) throws(WireError)

    /// Starts the tagged fields at a struct's end; then comes `tagged` for each in the order of tags, then `endTags`.
    mutating func startTags() throws(WireError) -> TaggedFields
    mutating func tagged(
        _ tag: UInt32, in tags: inout TaggedFields, isSet: Bool, code: (inout Self) throws(WireError) -> Void
    ) throws(WireError)
    mutating func endTags(_ tags: TaggedFields) throws(WireError)
    /// The end of a struct that has no tagged fields of its own.
    mutating func noTags() throws(WireError)
}

/// A request, a response, or a struct inside of one.
package protocol WireMessage: Equatable, Sendable {
    /// All fields at Kafka's defaults.
    init()
    mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError)
    /// `code` with a writer: of its own, so that it is specialized where the message's type is not known.
    func write(to writer: inout WireWriter) throws(WireError)
}

extension WireMessage {
    /// The defaults, with what `fill` changes.
    package init(_ fill: (inout Self) -> Void) {
        self.init()
        fill(&self)
    }

    package func write(to writer: inout WireWriter) throws(WireError) {
        var message = self
        try message.code(&writer)
    }
}

/// The tagged fields of one struct, each as tag, size and contents: as they were read, or as they are to be written.
package struct TaggedFields {
    var count: UInt32 = 0
    var bytes: ArraySlice<UInt8> = []
}

extension WireCoder {
    mutating func field(_ value: inout Int8) throws(WireError) { try integer(&value) }
    mutating func field(_ value: inout Int16) throws(WireError) { try integer(&value) }
    mutating func field(_ value: inout Int32) throws(WireError) { try integer(&value) }
    mutating func field(_ value: inout Int64) throws(WireError) { try integer(&value) }

    mutating func field(_ value: inout Bool) throws(WireError) {
        var byte: UInt8 = value ? 1 : 0
        try integer(&byte)
        value = byte != 0
    }

    mutating func field(_ value: inout WireUUID) throws(WireError) {
        try integer(&value.high)
        try integer(&value.low)
    }

    mutating func field(_ value: inout ErrorCode) throws(WireError) {
        var code = value.rawValue
        try integer(&code)
        value = ErrorCode(rawValue: code) ?? .unknownServerError
    }

    mutating func field(_ value: inout String) throws(WireError) {
        var text: String? = value
        try string(&text, nullable: false)
        value = text ?? ""
    }

    mutating func field(_ value: inout String?, nullable: Bool = true) throws(WireError) {
        try string(&value, nullable: nullable)
    }
}

extension WireCoder {
    mutating func field<Message: WireMessage>(_ value: inout [Message]?, nullable: Bool = true) throws(WireError) {
        try array(&value, nullable: nullable, blank: Message()) { coder, element throws(WireError) in
            try element.code(&coder)
        }
    }

    mutating func field<Message: WireMessage>(_ value: inout [Message]) throws(WireError) {
        var list: [Message]? = value
        try field(&list, nullable: false)
        value = list ?? []
    }

    mutating func field<Value: FixedWidthInteger & SignedInteger>(_ value: inout [Value]) throws(WireError) {
        var list: [Value]? = value
        try array(&list, nullable: false, blank: 0) { coder, element throws(WireError) in
            try coder.integer(&element)
        }
        value = list ?? []
    }

    mutating func field(_ value: inout [String]?, nullable: Bool = true) throws(WireError) {
        try array(&value, nullable: nullable, blank: "") { coder, element throws(WireError) in
            try coder.field(&element)
        }
    }

    mutating func field(_ value: inout [String]) throws(WireError) {
        var list: [String]? = value
        try field(&list, nullable: false)
        value = list ?? []
    }
}
