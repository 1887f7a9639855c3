public import ConnectorKit

/// Reads the lines of files.
public struct FileConnector: Connector {
    public init() {}

    public var spec: ConnectorSpec { Self.spec }

    public func makeSource(_ settings: CheckedSection, _ context: ConnectorContext) throws -> any Source {
        FileSource(
            path: settings.text("path") ?? "", lineBytesMax: Int(settings.bytes("max-line") ?? 1 << 20), context)
    }

    public static let spec = ConnectorSpec(
        name: "file",
        summary: "Reads the lines of files, each a record: JSON lines, or any text with `format: raw`.",
        guarantee: """
            Replayable: a split is a file, a position a byte in it, and both are kept in the query's progress. The \
            files and their lengths are looked at when the query starts; it ends at these ends. A later start finds \
            new files and what was appended.
            """,
        source: SourceSpec(
            SectionSpec([
                FieldSpec(
                    "path", .text,
                    doc:
                        "A file, a folder (its files, not those in folders below; names that begin with `.` or `_` "
                        + "are left "
                        + "out), or a pattern with `*`, `?` and `[…]`. Files are read one after the other in the "
                        + "order of their "
                        + "paths.",
                    example: "/data/orders/*.jsonl", required: true),
                FieldSpec(
                    "max-line", .bytes(1 << 10...256 << 20),
                    doc: "The longest line that is read; a longer one stops the query.", default: "1MB"),
            ]), isReplayable: true),
        example: """
            sources:
              orders:
                file: { path: /data/orders/*.jsonl }
                format: json
                schema: "id BIGINT, customer STRING"
            """,
        limits: [
            "A file must not change below its end while a query reads it; appending is fine.",
            "A last line without a line end counts; what is appended to it before the next start would be cut off it: "
                + "write whole lines.",
            "Blank lines are skipped; a carriage return before the line end is not part of the line.",
            "Records have no key and no timestamp; `_topic` is the file's path, `_offset` the byte where the line "
                + "begins.",
        ])
}
