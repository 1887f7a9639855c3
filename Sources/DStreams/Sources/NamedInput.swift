public import CommitProtocol
public import StreamCore

/// An input beside Kafka's topics: a folder, a socket, a receiver, a queue.
///
/// The splits of its port have the name as their topic, so that its records find their stream and its positions their
/// place in the query's progress. Two of one name are equal: a query has each once.
public struct NamedInput: Sendable, Hashable {
    /// Stable over restarts, and no legal name of a Kafka topic: `files:/folder`, `socket:host:port`.
    public let name: TopicName
    private let makeInput: @Sendable () -> any InputPort

    public init(name: TopicName, makeInput: @escaping @Sendable () -> any InputPort) {
        self.name = name
        self.makeInput = makeInput
    }

    /// A port that was not started yet. What goes wrong later comes as its `trouble` events.
    public func open() -> any InputPort { makeInput() }

    public static func == (a: NamedInput, b: NamedInput) -> Bool { a.name == b.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
