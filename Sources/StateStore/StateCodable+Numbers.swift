public import StreamCore

/// Integers are little endian, in their full width; `Int` and `UInt` have 64 bits.
extension StateCodable where Self: FixedWidthInteger & Codable {
    public static var encodedSize: Int? { MemoryLayout<Self>.size }
    @inlinable
    public func encode(to writer: inout StateWriter) { writer.append(self) }
    public init(from reader: inout StateReader) throws(StreamError) { self = try reader.read(Self.self) }
}

extension Int: StateCodable { public static var stateType: String { "Int64" } }
extension Int8: StateCodable { public static var stateType: String { "Int8" } }
extension Int16: StateCodable { public static var stateType: String { "Int16" } }
extension Int32: StateCodable { public static var stateType: String { "Int32" } }
extension Int64: StateCodable { public static var stateType: String { "Int64" } }
extension UInt: StateCodable { public static var stateType: String { "UInt64" } }
extension UInt8: StateCodable { public static var stateType: String { "UInt8" } }
extension UInt16: StateCodable { public static var stateType: String { "UInt16" } }
extension UInt32: StateCodable { public static var stateType: String { "UInt32" } }
extension UInt64: StateCodable { public static var stateType: String { "UInt64" } }

/// One byte, 0 or 1.
extension Bool: StateCodable {
    public static var stateType: String { "Bool" }
    public static var encodedSize: Int? { 1 }
    public func encode(to writer: inout StateWriter) { writer.append(UInt8(self ? 1 : 0)) }
    public init(from reader: inout StateReader) throws(StreamError) {
        let byte = try reader.read(UInt8.self)
        guard byte <= 1 else { throw StateReader.damaged }
        self = byte == 1
    }
}

/// The bits of IEEE 754; -0.0 becomes 0.0, so that equal keys have equal bytes.
extension Double: StateCodable {
    public static var stateType: String { "Double" }
    public static var encodedSize: Int? { 8 }
    public func encode(to writer: inout StateWriter) { writer.append((self == 0 ? 0 : self).bitPattern) }
    public init(from reader: inout StateReader) throws(StreamError) {
        self.init(bitPattern: try reader.read(UInt64.self))
    }
}

/// As `Double`, in 4 bytes.
extension Float: StateCodable {
    public static var stateType: String { "Float" }
    public static var encodedSize: Int? { 4 }
    public func encode(to writer: inout StateWriter) { writer.append((self == 0 ? 0 : self).bitPattern) }
    public init(from reader: inout StateReader) throws(StreamError) {
        self.init(bitPattern: try reader.read(UInt32.self))
    }
}
