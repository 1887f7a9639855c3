public import CommitProtocol
public import StreamCore

/// A kind of source, of sink, or both: its spec and its factory.
public protocol Connector: Sendable {
    var spec: ConnectorSpec { get }

    /// Makes a source from settings that were checked against the spec; does no I/O yet.
    /// - Throws: `StreamError` where the settings cannot work.
    func makeSource(_ settings: CheckedSection, _ context: ConnectorContext) throws -> any Source
    /// Makes a sink from settings that were checked against the spec; does no I/O yet.
    func makeSink(_ settings: CheckedSection, _ context: ConnectorContext) throws -> any Sink
}

extension Connector {
    /// Refuses: the connector is no source.
    /// - Throws: `StreamError` `UNSUPPORTED_ROLE`.
    public func makeSource(_ settings: CheckedSection, _ context: ConnectorContext) throws -> any Source {
        throw StreamError(
            "UNSUPPORTED_ROLE", "The connector '\(spec.name)' cannot be made into a source here.", domain: .user)
    }

    /// Refuses: the connector is no sink.
    /// - Throws: `StreamError` `UNSUPPORTED_ROLE`.
    public func makeSink(_ settings: CheckedSection, _ context: ConnectorContext) throws -> any Sink {
        throw StreamError(
            "UNSUPPORTED_ROLE", "The connector '\(spec.name)' cannot be made into a sink here.", domain: .user)
    }
}

/// What the engine gives a connector: no connector reads a clock or logs by itself.
public struct ConnectorContext: Sendable {
    /// The name in the pipeline's `sources` or `sinks`.
    public var name: String
    public var clock: any EngineClock
    public var wakeTimer: WakeTimer
    public var log: any LogHandler

    public init(name: String, clock: any EngineClock, wakeTimer: WakeTimer = .system, log: any LogHandler = NullLog()) {
        self.name = name
        self.clock = clock
        self.wakeTimer = wakeTimer
        self.log = log
    }
}

/// Where records come from.
public protocol Source: Sendable {
    /// Whether a range of positions always gives the same records.
    var isReplayable: Bool { get }
    /// Whether every split ends.
    var isBounded: Bool { get }
    /// A reader of its own, confined to the thread that uses it.
    func makeInput() throws -> any InputPort
}

/// Where records go, for all but Kafka (which writes inside the epoch's transaction, by its `TransactionPort`).
///
/// Confined to one thread; it may wait for what it writes to: a slow sink is what slows a query down.
public protocol Sink: AnyObject {
    var delivery: Delivery { get }
    /// Writes encoded records, in order.
    /// - Throws: `StreamError`; what was written of the block before stays written.
    func write(_ block: RecordBlock) throws
    /// Hands on what is still in memory and frees everything, within the deadline. No call follows.
    func close(within: Duration) throws
}

/// The connectors there are, by name.
public struct ConnectorRegistry: Sendable {
    public let connectors: [any Connector]

    public init(_ connectors: [any Connector]) { self.connectors = connectors }

    public var specs: [ConnectorSpec] { connectors.map(\.spec) }
    /// The connector of this name, if there is one.
    public subscript(name: String) -> (any Connector)? { connectors.first { $0.spec.name == name } }
    /// The spec of the connector of this name, if there is one.
    public func spec(_ name: String) -> ConnectorSpec? { self[name]?.spec }
    /// The names of the connectors that have a role, in the registry's order.
    public func names(_ role: ConnectorSpec.Role) -> [String] { specs.filter { $0.roles.contains(role) }.map(\.name) }
}
