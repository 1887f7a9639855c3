public import ConnectorKit
private import StreamCore

/// Writes records to standard output, a line each: to look at a query's result, or to pipe it on.
public struct StdoutConnector: Connector {
    public init() {}

    public var spec: ConnectorSpec { Self.spec }

    public func makeSink(_ settings: CheckedSection, _ context: ConnectorContext) throws -> any Sink {
        StdoutSink(showsKey: settings.bool("show-key") ?? false)
    }

    public static let spec = ConnectorSpec(
        name: "stdout",
        summary: "Writes each record's value as a line of standard output.",
        guarantee: """
            At least once at best: lines are written when an epoch's rows are ready, and are written again when that \
            epoch fails afterwards. A pipeline with `guarantee: exactly-once` (the default) is refused.
            """,
        sink: SinkSpec(
            SectionSpec([
                FieldSpec(
                    "show-key", .bool,
                    doc: "Writes key, tabulator, value instead of the value alone; no key is `null`.",
                    default: "false")
            ]), delivery: .none),
        example: """
            guarantee: at-least-once
            sinks:
              console: { stdout: {}, format: json }
            """,
        limits: [
            "A record without value (a tombstone) is the line `null`.",
            "Line ends inside a value are written as they are; JSON has none.",
            "A reader that is slow slows the query down; one that goes away stops it.",
        ])
}
