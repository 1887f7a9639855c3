internal import ConnectorKit
internal import KafkaConnector
internal import StreamCore

/// Makes a `PipelineConfig` from checked sections, and finds what is wrong between them. What has errors is passed
/// over, so that all other issues are found as well.
struct PipelineBuilder {
    let reader: PipelineReader
    let root: CheckedSection
    var checker: ConfigChecker

    init(reader: PipelineReader, root: CheckedSection, checker: ConfigChecker) {
        self.reader = reader
        self.root = root
        self.checker = checker
    }

    mutating func config() -> PipelineConfig? {
        var sources = (root["sources"]?.map ?? []).compactMap { source($0) }
        var sinks = (root["sinks"]?.map ?? []).compactMap { sink($0) }
        checkGuarantee()
        let cluster = connect(&sources, &sinks)
        checkEmbedded(sources, sinks)
        checkTopics(sources, sinks)
        let query = PlacedText(root["query"])
        if let query { checkQuery(query, sources) }
        guard let name = root.text("name"),
            let guarantee = root.text("guarantee").flatMap(PipelineConfig.Guarantee.init),
            let trigger, let query, let errors = errors(hasCluster: cluster != nil), let memory = root.bytes("memory"),
            let latencyTarget = root.duration("latency-target"), let shards = root.integer("shards"),
            let createTopics = root.bool("create-topics")
        else { return nil }
        return PipelineConfig(
            file: root.place.file, name: QueryName(name), guarantee: guarantee, trigger: trigger, sources: sources,
            query: query, sinks: sinks, errors: errors, memoryBytes: Int(memory), latencyTarget: latencyTarget,
            stateFolder: stateFolder, shards: Int(shards), http: http, createTopics: createTopics, cluster: cluster)
    }

    private var trigger: PipelineConfig.Trigger? {
        if let interval = root.duration("trigger") { return .interval(interval) }
        return switch root.text("trigger") {
        case "asap": .asap
        case "once": .once
        case "available-now": .availableNow
        default: nil
        }
    }

    private var http: ListenAddress? {
        root.section("http")?.text("listen").flatMap { try? ListenAddress(parsing: $0) }
    }

    /// systemd separates several folders by colons; the first is the unit's own.
    private var stateFolder: String? {
        if let folder = root.text("state-dir") { return folder }
        let folder = reader.environment.variables["STATE_DIRECTORY"]?.prefix { $0 != ":" }
        return folder.flatMap { $0.isEmpty ? nil : String($0) }
    }

    private mutating func errors(hasCluster: Bool) -> PipelineConfig.Errors? {
        guard let section = root.section("errors"),
            let policy = section.text("policy").flatMap(PipelineConfig.Errors.Policy.init)
        else { return nil }
        if policy == .deadLetter, !hasCluster {
            checker.report(
                section.issue(at: "policy", "dead letters go to Kafka: set MILLRACE_BROKERS, or use a Kafka sink"))
        }
        return PipelineConfig.Errors(
            policy: policy, topic: section.text("topic").map { TopicName($0) }, ceiling: section.integer("ceiling"))
    }

    // MARK: - Sources and sinks

    private mutating func source(_ entry: CheckedEntry) -> PipelineConfig.Source? {
        guard let section = entry.value.section,
            let format = section.text("format").flatMap(PipelineConfig.Format.init),
            let connector = reader.registry.names(.source).first(where: { section.section($0) != nil }),
            let settings = section.section(connector), let input = input(connector, settings)
        else { return nil }
        var source = PipelineConfig.Source(
            name: entry.key, input: input, format: format, schemaText: PlacedText(section["schema"]),
            place: entry.keyPlace)
        if let text = source.schemaText {
            let answer = reader.checks.schema(text.text)
            report(answer.findings, in: text, path: "sources.\(entry.key).schema")
            source.schema = answer.schema
        }
        return source
    }

    private func input(_ connector: String, _ settings: CheckedSection) -> PipelineConfig.Input? {
        guard connector == KafkaConnector.spec.name else { return .connector(name: connector, settings: settings) }
        return KafkaSourceConfig(settings).map { .kafka($0) }
    }

    private func sink(_ entry: CheckedEntry) -> PipelineConfig.Sink? {
        guard let section = entry.value.section,
            let format = section.text("format").flatMap(PipelineConfig.Format.init),
            let connector = reader.registry.names(.sink).first(where: { section.section($0) != nil }),
            let settings = section.section(connector), let output = output(connector, settings)
        else { return nil }
        return PipelineConfig.Sink(name: entry.key, output: output, format: format, place: entry.keyPlace)
    }

    private func output(_ connector: String, _ settings: CheckedSection) -> PipelineConfig.Output? {
        guard connector == KafkaConnector.spec.name else { return .connector(name: connector, settings: settings) }
        return KafkaSinkConfig(settings).map { .kafka($0) }
    }

    // MARK: - The query

    private mutating func checkQuery(_ query: PlacedText, _ sources: [PipelineConfig.Source]) {
        // A query over tables that are not known would only repeat what was said about them.
        let isComplete =
            sources.count == root["sources"]?.map?.count && sources.allSatisfy { $0.format == .raw || $0.schema != nil }
        guard isComplete else { return }
        let tables = sources.map { PipelineChecks.Table(name: $0.name, format: $0.format, schema: $0.schema) }
        let answer = reader.checks.query(query.text, tables)
        report(answer.findings, in: query, path: "query")
        if let columns = answer.columns { checkColumns(columns) }
    }

    /// Columns that sinks name must be in the query's result; names are compared as Spark does, without regard to case.
    private mutating func checkColumns(_ columns: [String]) {
        let known = Set(columns.map { $0.lowercased() })
        for entry in root["sinks"]?.map ?? [] {
            for spec in reader.registry.specs {
                guard let settings = entry.value.section?.section(spec.name) else { continue }
                for field in spec.sink?.settings.fields ?? [] {
                    guard case .column = field.type, let value = settings[field.name], let name = value.text,
                        !known.contains(name.lowercased())
                    else { continue }
                    let ending = Suggestion.ending(for: name, among: columns)
                    checker.report(
                        value.issue(
                            "\(quoted(value.scalar?.written ?? name)) is no column of the query's result\(ending)"))
                }
            }
        }
    }

    private mutating func report(_ findings: [PipelineChecks.Finding], in text: PlacedText, path: String) {
        for finding in findings {
            let place = text.place(line: finding.line, column: finding.column)
            checker.report(LintIssue(finding.severity, at: place, path: path, finding.message))
        }
    }
}
