public import StreamCore

/// Two values that are kept together: a key with its value in a window, a value with the time of its last change.
public struct StatePair<First: StateCodable, Second: StateCodable>: StateCodable {
    public var first: First
    public var second: Second

    public init(_ first: First, _ second: Second) {
        self.first = first
        self.second = second
    }

    public static var stateType: String { "(\(First.stateType), \(Second.stateType))" }

    public static var encodedSize: Int? {
        guard let first = First.encodedSize, let second = Second.encodedSize else { return nil }
        return first + second
    }

    public func encode(to writer: inout StateWriter) {
        writer.append(nested: first)
        second.encode(to: &writer)
    }

    public init(from reader: inout StateReader) throws(StreamError) {
        first = try reader.read(nested: First.self)
        second = try Second(from: &reader)
    }
}

extension StatePair: Sendable where First: Sendable, Second: Sendable {}
extension StatePair: Equatable where First: Equatable, Second: Equatable {}
extension StatePair: Hashable where First: Hashable, Second: Hashable {}
