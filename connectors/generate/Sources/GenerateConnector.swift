public import ConnectorKit
private import StreamCore

/// Makes records up: for demos, tests and load, without anything to install.
public struct GenerateConnector: Connector {
    public init() {}

    public var spec: ConnectorSpec { Self.spec }

    public func makeSource(_ settings: CheckedSection, _ context: ConnectorContext) throws -> any Source {
        GenerateSource(try GenerateConfig(settings), context)
    }

    public static let spec = ConnectorSpec(
        name: "generate",
        summary: "Makes records from templates, at a steady rate and from a seed.",
        guarantee: """
            Replayable: a record is a function of `seed`, its lane and its number alone, so that a range that is \
            read again after a failure gives the same records, on any machine. Its positions are kept in the query's \
            progress.
            """,
        source: SourceSpec(SectionSpec(fields), isReplayable: true),
        example: """
            sources:
              clicks:
                generate:
                  rate: 2000
                  lanes: 4
                  key: "user-{{int:1..500}}"
                  value: '{"id": {{sequence}}, "page": "{{choice:home|cart|pay}}", "ts": "{{timestamp}}"}'
                format: json
                schema: "id BIGINT, page STRING, ts TIMESTAMP"
            """,
        limits: [
            "`{{timestamp}}` tells the record's own time (`start-time` and the rate), not the time of day: a record "
                + "must be the "
                + "same when it is made again.",
            "Text is put into the template as it is: a choice inside JSON must be valid there.",
        ])

    private static let template: FieldSpec.Lint = FieldSpec.texts { text in
        do throws(TemplateProblem) {
            _ = try Template(text)
            return nil
        } catch {
            return error.message
        }
    }

    private static let fields = [
        FieldSpec(
            "rate", .number(0.001...1e9),
            doc: "Records per second, over all lanes together; after a pause it catches up.",
            default: "1000"),
        FieldSpec(
            "value", .text,
            doc:
                "The template of the value. In it, `{{sequence}}` is the record's number (from 0, unique over all "
                + "lanes), "
                + "`{{lane}}` its lane, `{{choice:a|b|c}}` one of some words, `{{int:1..100}}` and "
                + "`{{decimal:0.00..9.99}}` numbers "
                + "between two bounds (both may occur; as many decimals as they have), `{{hex:8}}` digits, "
                + "`{{uuid}}`, `{{bool}}`, "
                + "`{{timestamp}}` and `{{timestamp-ms}}` the record's time as text and in milliseconds.",
            example: #"'{"id": {{sequence}}}'"#, required: true, lint: template),
        FieldSpec(
            "key", .text, doc: "The template of the key. Left out: no key.", example: "{{choice:a|b}}", lint: template),
        FieldSpec(
            "lanes", .integer(1...1024), doc: "Into how many splits the records are spread, in turn.", default: "1"),
        FieldSpec("seed", .anyInteger, doc: "Another seed gives other records.", default: "1"),
        FieldSpec(
            "count", .integer(0 ... .max),
            doc: "Ends after so many records, over all lanes together. Left out: "
                + "never."),
        FieldSpec(
            "start-time", .instant, doc: "The time of the first record.", default: "2026-01-01T00:00:00Z"),
    ]
}

/// The settings of a `generate` source.
public struct GenerateConfig: Sendable {
    /// Records per second, over all lanes.
    public var rate: Double
    public var value: Template
    public var key: Template?
    public var lanes: Int
    public var seed: UInt64
    /// Over all lanes; nil: without end.
    public var count: Int64?
    /// Milliseconds since 1970-01-01 UTC.
    public var startTimeMs: Int64

    public init(
        rate: Double, value: Template, key: Template? = nil, lanes: Int = 1, seed: UInt64 = 1, count: Int64? = nil,
        startTimeMs: Int64 = 1_767_225_600_000
    ) {
        self.rate = rate
        self.value = value
        self.key = key
        self.lanes = max(1, lanes)
        self.seed = seed
        self.count = count
        self.startTimeMs = startTimeMs
    }

    /// - Throws: `TemplateProblem` where a template was not checked before.
    init(_ settings: CheckedSection) throws {
        self.init(
            rate: settings.number("rate") ?? 1000, value: try Template(settings.text("value") ?? ""),
            key: try settings.text("key").map { text throws in try Template(text) },
            lanes: Int(settings.integer("lanes") ?? 1), seed: UInt64(bitPattern: settings.integer("seed") ?? 1),
            count: settings.integer("count"), startTimeMs: settings.instant("start-time") ?? 1_767_225_600_000)
    }

    /// How many records a lane holds; `.max` without end.
    func limit(ofLane lane: Int) -> Int64 {
        guard let count else { return .max }
        return count / Int64(lanes) + (Int64(lane) < count % Int64(lanes) ? 1 : 0)
    }

    /// The number of a lane's record over all lanes.
    func sequence(lane: Int, _ number: Int64) -> Int64 { number &* Int64(lanes) &+ Int64(lane) }

    /// Milliseconds since 1970-01-01 UTC of a record.
    func timestampMs(sequence: Int64) -> Int64 {
        let sinceStart = Double(sequence) / rate * 1000
        return startTimeMs + (abs(sinceStart) < 4e15 ? Int64(sinceStart) : 4_000_000_000_000_000)
    }
}
