public import StreamCore

/// What can be kept in state: keys, values and elements of windows.
///
/// The bytes are written to changelogs and local stores and read back by later versions of a program, so a type's
/// layout is part of a query's state: a change of it needs another `stateType`.
public protocol StateCodable {
    /// The layout's name, which a query's start compares with that of the state it finds: `Int64`, `String`,
    /// `[String]`, or a type's own name with a version (`Session.2`).
    static var stateType: String { get }

    /// How many bytes each value has, where that is the same for all; nil (the default) where it is not.
    static var encodedSize: Int? { get }

    /// Appends the value's bytes. They need not tell their own length: what follows is read by who wrote it.
    ///
    /// Keys that are equal must have equal bytes, by which they are found. (Texts in other normal forms have others:
    /// bring them into one first.)
    func encode(to writer: inout StateWriter)

    /// Reads what `encode` wrote.
    /// - Throws: `STATE_DAMAGED` where the bytes are none of this type.
    init(from reader: inout StateReader) throws(StreamError)
}

extension StateCodable {
    public static var encodedSize: Int? { nil }

    /// Whether a value among others needs no length. One without bytes does: it could not be counted.
    static var isFixed: Bool { (encodedSize ?? 0) > 0 }

    /// Reads a value that the bytes hold and nothing else.
    init(whole reader: inout StateReader) throws(StreamError) {
        try self.init(from: &reader)
        guard reader.isAtEnd else { throw StateReader.damaged }
    }
}
