public import ConnectorKit
private import KafkaConnector

/// The pipeline file, declared: its keys, defaults, docs and lints.
public enum PipelineSpec {
    /// Longest that a query's name may be, so that the topics named after it fit in Kafka's 249 characters.
    static let nameSuffixMax = 49

    /// The whole file as a section, with the settings of these connectors in it.
    public static func section(_ registry: ConnectorRegistry) -> SectionSpec {
        SectionSpec(identityFields + [sources(registry), query, sinks(registry)] + operationFields)
    }

    // MARK: - What the query is

    private static let identityFields = [
        FieldSpec(
            "name", .text,
            doc:
                "The query's identity: its group id, transactional ids and internal topics are named after it. A "
                + "new name is a "
                + "new query without progress.",
            example: "valid-orders", required: true,
            lint: FieldSpec.texts { KafkaNames.topicComplaint($0, suffixMax: nameSuffixMax) }),
        FieldSpec(
            "guarantee", .choice(PipelineConfig.Guarantee.allCases.map(\.rawValue)),
            doc: "What is promised about every record's effects. A pipeline that cannot keep it is refused.",
            default: "exactly-once"),
        FieldSpec(
            "trigger",
            .oneOf([.choice(["asap", "once", "available-now"]), .duration(.milliseconds(1) ... .seconds(86400))]),
            doc:
                "When an epoch begins: as soon as there is something (`asap`), every so often (`500ms`), one epoch "
                + "(`once`), or "
                + "as many as it takes to read what is there at start (`available-now`).",
            default: "asap"),
    ]

    private static let query = FieldSpec(
        "query", .block, doc: "SQL over the sources, by their names: see [sql.md](sql.md).",
        example: "SELECT id, upper(customer) AS customer FROM orders", required: true,
        lint: FieldSpec.texts { $0.allSatisfy(\.isWhitespace) ? "must not be empty" : nil })

    private static let format = FieldSpec(
        "format", .choice(PipelineConfig.Format.allCases.map(\.rawValue)),
        doc: "`json`: one object a record. `raw`: key and value as they are.", default: "json")

    private static func sources(_ registry: ConnectorRegistry) -> FieldSpec {
        let specs = registry.specs.filter { $0.source != nil }
        let connectors = specs.map { spec in
            FieldSpec(
                spec.name, .section(spec.source?.settings ?? SectionSpec([])),
                doc: "\(spec.summary) See [\(spec.name)](connectors/\(spec.name).md).")
        }
        let schema = FieldSpec(
            "schema", .block,
            doc: "The columns and their types, for `format: json`; fields that are not named are not read.",
            example: #""id BIGINT, item STRUCT<sku: STRING, qty: INT>""#)
        let section = SectionSpec(
            connectors + [format, schema],
            rules: [SectionSpec.exactlyOne(of: specs.map(\.name), what: "the kind of source"), schemaRule])
        return FieldSpec(
            "sources", .map(key: "name", .section(section)),
            doc: "Where records come from, by the name that the query uses.", required: true, lint: sourceNamesLint)
    }

    private static func sinks(_ registry: ConnectorRegistry) -> FieldSpec {
        let specs = registry.specs.filter { $0.sink != nil }
        let connectors = specs.map { spec in
            FieldSpec(
                spec.name, .section(spec.sink?.settings ?? SectionSpec([])),
                doc: "\(spec.summary) See [\(spec.name)](connectors/\(spec.name).md).")
        }
        let section = SectionSpec(
            connectors + [format], rules: [SectionSpec.exactlyOne(of: specs.map(\.name), what: "the kind of sink")])
        return FieldSpec(
            "sinks", .map(key: "name", .section(section)),
            doc: "Where the rows of the result go; every sink gets all of them.", required: true,
            lint: { value in (value.map ?? []).isEmpty ? [value.issue("must name at least one sink")] : [] })
    }

    private static let schemaRule: SectionSpec.Rule = { section in
        switch section.text("format") {
        case "json" where !section.wasGiven("schema"):
            [section.issue("format json needs a 'schema', for example 'schema: \"id BIGINT, name STRING\"'")]
        case "raw" where section.wasGiven("schema"):
            [section.issue(at: "schema", "has no place with format raw, whose columns are key, value, topic, …")]
        default: []
        }
    }

    /// Sources are tables: their names must be identifiers.
    private static let sourceNamesLint: FieldSpec.Lint = { value in
        let entries = value.map ?? []
        if entries.isEmpty { return [value.issue("must name at least one source")] }
        return entries.compactMap { entry in
            let isPlain = entry.key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: false
                }
            }
            let isName = isPlain && !(entry.key.first?.isNumber ?? true)
            return isName
                ? nil : entry.issue("the name of a source is a table's name: letters, digits and '_', no digit first")
        }
    }
}
