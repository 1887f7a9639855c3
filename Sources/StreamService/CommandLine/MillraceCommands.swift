internal import ConnectorKit
private import KafkaConnector

extension CommandLineSpec {
    /// The commands of `millrace`.
    static let millrace = CommandLineSpec(
        program: "millrace", summary: "stream processing for Kafka, exactly once",
        commands: [run, lint, plan, connectors, broker, version, help],
        exitCodes: ExitStatus.allCases.map { ($0.rawValue, $0.meaning) },
        examples: [
            ("millrace lint pipeline.yaml", "is the pipeline right?"),
            ("millrace run pipeline.yaml", "run it until Ctrl-C or SIGTERM"),
        ])

    private static let brokers = OptionSpec(
        name: "brokers", valueName: "HOST:PORT,…", doc: "Use these brokers in place of those in the file.",
        complaint: { KafkaNames.brokersComplaint($0) })
    private static let json = OptionSpec(name: "json", valueName: nil, doc: "Write JSON.")

    private static let run = CommandSpec(
        name: "run", summary: "Run a pipeline until it ends or is stopped", argumentsName: "FILE", arguments: 1...1,
        options: [
            brokers,
            OptionSpec(
                name: "for", valueName: "DURATION", doc: "Stop after this time, as on SIGTERM.",
                complaint: { Units.duration($0) == nil ? "expected a duration such as 20s" : nil }),
            OptionSpec(
                name: "demo", valueName: nil,
                doc: "Write made-up clicks to the source, show what goes in and comes out."),
        ],
        details: """
            FILE is a pipeline in YAML; '-' is standard input. SIGTERM and SIGINT finish or drop what
            is in flight, commit and end with status 0; a second one ends at once. Brokers that the
            file leaves out are those of MILLRACE_BROKERS.

            --demo runs on a broker inside the process, whose data are kept in the state folder: the
            next run goes on where this one ends, also after kill -9. With --brokers it runs on that
            cluster. Topics that are missing are created.
            """,
        examples: [
            ("millrace run pipeline.yaml", "until Ctrl-C"),
            ("millrace run pipeline.yaml --brokers localhost:9092 --for 20s", "on another cluster, for twenty seconds"),
            ("millrace run examples/clicks/pipeline.yaml --demo", "see it work, without a cluster"),
        ])

    private static let lint = CommandSpec(
        name: "lint", summary: "Check pipelines and print every mistake with its place", argumentsName: "FILE…",
        arguments: 1...4096, options: [json],
        details: """
            Nothing is connected to. Ends with status 2 if a pipeline cannot be used; warnings do not
            count.
            """,
        examples: [
            ("millrace lint pipelines/*.yaml", "all of them at once"),
            ("millrace lint --json pipeline.yaml", "for an editor"),
        ])

    private static let plan = CommandSpec(
        name: "plan", summary: "Show what a pipeline would do, with its topics and permissions", argumentsName: "FILE",
        arguments: 1...1, options: [brokers, json], details: "Nothing is connected to, and no secret is shown.",
        examples: [("millrace plan pipeline.yaml", "operators, internal topics, ACLs")])

    private static let connectors = CommandSpec(
        name: "connectors", summary: "List the connectors, or write their reference", argumentsName: "[FOLDER]",
        arguments: 0...1,
        options: [
            OptionSpec(
                name: "docs", valueName: nil, doc: "Write configuration.md and connectors/*.md into FOLDER ('docs')."),
            OptionSpec(name: "schema", valueName: nil, doc: "Print the JSON schema of pipeline files, for editors."),
        ],
        examples: [("millrace connectors --schema > pipeline.schema.json", "let an editor complete pipelines")])

    private static let version = CommandSpec(
        name: "version", summary: "Print the versions of millrace and of the libraries it uses")

    private static let help = CommandSpec(
        name: "help", summary: "Show this help, or that of a command", argumentsName: "[COMMAND]", arguments: 0...1)
}
