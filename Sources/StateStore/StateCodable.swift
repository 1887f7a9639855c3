public import StreamCore

/// What can be kept in state: keys, values and elements of windows.
///
/// The bytes are written to changelogs and local stores and read back by later versions of a program, so a type's
/// layout is part of a query's state: a change of it needs another `stateType`.
public protocol StateCodable {
    /// The layout's name, which a query's start compares with that of the state it finds: `Int64`, `String`,
    /// `[String]`, or a type's own name with a version (`Session.2`).
    static var stateType: String { get }

    /// Appends the value's bytes. They need not tell their own length: what follows is read by who wrote it.
    func encode(to writer: inout StateWriter)

    /// Reads what `encode` wrote.
    /// - Throws: `STATE_DAMAGED` where the bytes are none of this type.
    init(from reader: inout StateReader) throws(StreamError)
}
