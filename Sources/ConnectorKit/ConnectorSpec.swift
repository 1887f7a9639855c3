/// What a connector is and how it is configured, declared in code: drives parsing, lint, docs and the JSON schema.
public struct ConnectorSpec: Sendable {
    /// What a connector can be in a pipeline.
    public enum Role: String, Sendable, CaseIterable { case source, sink }

    /// The key in a pipeline's `sources` and `sinks`.
    public var name: String
    /// One sentence.
    public var summary: String
    /// What it promises: a paragraph of markdown.
    public var guarantee: String
    public var source: SourceSpec?
    public var sink: SinkSpec?
    /// A piece of YAML that works, for the docs.
    public var example: String
    /// More for the docs: whole sections of markdown.
    public var notes: String
    /// What it does not do, one sentence each.
    public var limits: [String]

    public init(
        name: String, summary: String, guarantee: String, source: SourceSpec? = nil, sink: SinkSpec? = nil,
        example: String,
        notes: String = "", limits: [String] = []
    ) {
        self.name = name
        self.summary = summary
        self.guarantee = guarantee
        self.source = source
        self.sink = sink
        self.example = example
        self.notes = notes
        self.limits = limits
    }

    public var roles: [Role] { (source == nil ? [] : [.source]) + (sink == nil ? [] : [.sink]) }
}

/// A connector as a source: its settings, and whether its records can be read again.
public struct SourceSpec: Sendable {
    public var settings: SectionSpec
    /// Whether a range of positions always gives the same records: without it nothing is exactly once.
    public var isReplayable: Bool

    public init(_ settings: SectionSpec, isReplayable: Bool) {
        self.settings = settings
        self.isReplayable = isReplayable
    }
}

/// A connector as a sink: its settings, and how it keeps an epoch whole.
public struct SinkSpec: Sendable {
    public var settings: SectionSpec
    public var delivery: Delivery

    public init(_ settings: SectionSpec, delivery: Delivery) {
        self.settings = settings
        self.delivery = delivery
    }
}

/// How a sink keeps an epoch whole (DESIGN section 5).
public enum Delivery: String, Sendable, CaseIterable {
    /// Its records are part of the epoch's Kafka transaction.
    case inTransaction
    /// Prepares, then commits once the epoch is known to be committed.
    case twoPhase
    /// Stores (query, epoch) with its rows and skips what it already has.
    case compareAndSet
    /// Writes at once: what an epoch wrote before it failed is written again. At-least-once at best.
    case none

    public var keepsExactlyOnce: Bool { self != .none }
}
