public import StreamCore

/// UTF-8 without a length: it goes to the end of what is read.
extension String: StateCodable {
    public static var stateType: String { "String" }
    public func encode(to writer: inout StateWriter) { writer.append(contentsOf: utf8) }
    public init(from reader: inout StateReader) throws(StreamError) {
        guard let text = String(validating: reader.takeRest(), as: UTF8.self) else { throw StateReader.damaged }
        self = text
    }
}

/// The elements one after the other, each with its length where its type does not fix it; `[UInt8]` is its own bytes.
extension Array: StateCodable where Element: StateCodable {
    public static var stateType: String { "[\(Element.stateType)]" }

    public func encode(to writer: inout StateWriter) {
        if let bytes = self as? [UInt8] { return writer.append(contentsOf: bytes) }
        for element in self { writer.append(nested: element) }
    }

    public init(from reader: inout StateReader) throws(StreamError) {
        self = []
        if Element.self == UInt8.self, let bytes = [UInt8](reader.takeRest()) as? [Element] {
            self = bytes
            return
        }
        if let size = Element.encodedSize, size > 0 { reserveCapacity(reader.remaining / size) }
        while !reader.isAtEnd { append(try reader.read(nested: Element.self)) }
    }
}

/// Nothing for nil, else the byte 1 and the value.
extension Optional: StateCodable where Wrapped: StateCodable {
    public static var stateType: String { "\(Wrapped.stateType)?" }

    public func encode(to writer: inout StateWriter) {
        guard let self else { return }
        writer.append(UInt8(1))
        self.encode(to: &writer)
    }

    public init(from reader: inout StateReader) throws(StreamError) {
        if reader.isAtEnd {
            self = nil
        } else {
            guard try reader.read(UInt8.self) == 1 else { throw StateReader.damaged }
            self = try Wrapped(from: &reader)
        }
    }
}

/// The elements in the order of their bytes, so that equal sets have equal bytes.
extension Set: StateCodable where Element: StateCodable {
    public static var stateType: String { "Set<\(Element.stateType)>" }

    public func encode(to writer: inout StateWriter) {
        writer.append(sorted: map { element in { $0.append(nested: element) } })
    }

    public init(from reader: inout StateReader) throws(StreamError) {
        self = []
        while !reader.isAtEnd { insert(try reader.read(nested: Element.self)) }
    }
}

/// Keys with their values, in the order of their bytes, so that equal dictionaries have equal bytes.
extension Dictionary: StateCodable where Key: StateCodable, Value: StateCodable {
    public static var stateType: String { "[\(Key.stateType): \(Value.stateType)]" }

    public func encode(to writer: inout StateWriter) {
        writer.append(
            sorted: map { entry in
                {
                    $0.append(nested: entry.key)
                    $0.append(nested: entry.value)
                }
            })
    }

    public init(from reader: inout StateReader) throws(StreamError) {
        self = [:]
        while !reader.isAtEnd {
            let key = try reader.read(nested: Key.self)
            self[key] = try reader.read(nested: Value.self)
        }
    }
}

extension StateWriter {
    /// Parts in the order of their bytes, whatever the order they are given in.
    mutating func append(sorted parts: [(inout StateWriter) -> Void]) {
        var encoded: [[UInt8]] = []
        encoded.reserveCapacity(parts.count)
        for part in parts {
            var writer = StateWriter()
            part(&writer)
            if let failure = writer.failure { fail(failure) }
            encoded.append(writer.bytes)
        }
        encoded.sort { $0.lexicographicallyPrecedes($1) }
        for bytes in encoded { append(contentsOf: bytes) }
    }
}
