internal import ConnectorKit
private import StreamCore

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#endif

/// The reference docs: `configuration.md`, and a page a connector.
enum PipelineReference {
    /// Paths below the docs folder, with their content.
    static func pages(_ registry: ConnectorRegistry) -> [(path: String, text: String)] {
        [("configuration.md", configuration(registry))]
            + registry.specs.map { ("connectors/\($0.name).md", Reference.page($0)) }
    }

    /// Writes the pages; gives the files' paths.
    static func write(_ registry: ConnectorRegistry, into folder: String) throws -> [String] {
        for path in [folder, folder + "/connectors"] where mkdir(path, 0o755) != 0 && errno != EEXIST {
            throw cannotWrite(path)
        }
        return try pages(registry).map { page in
            let path = "\(folder)/\(page.path)"
            guard let file = fopen(path, "w") else { throw cannotWrite(path) }
            let isWritten = fputs(page.text, file) >= 0
            guard fclose(file) == 0, isWritten else { throw cannotWrite(path) }
            return path
        }
    }

    private static func cannotWrite(_ path: String) -> StreamError {
        StreamError(
            "DOCS_UNWRITABLE", "Could not write \(quoted(path)): it \(FileProblem.system(errno)).", domain: .external)
    }

    private static func configuration(_ registry: ConnectorRegistry) -> String {
        let connectors = registry.specs.map(\.name)
        return Reference.notice + "\n# The pipeline file\n\n" + introduction + "\n## Fields\n\n"
            + Reference.fields(PipelineSpec.section(registry), path: "", level: 3, leaves: connectors) + "\n"
            + variables
    }

    private static let introduction = """
        A pipeline is one YAML file: where records come from, a query over them in SQL, and where its rows go.
        `millrace lint FILE…` prints every mistake of every file with line and column, `millrace plan FILE` what it
        would do, `millrace run FILE` runs it. `millrace connectors --schema` prints a JSON schema for editors.

        ```yaml
        name: valid-orders
        sources:
          orders:
            kafka: { brokers: ["localhost:9092"], topics: [orders], start: earliest, options: { fetch.min.bytes: 1 } }
            format: json
            schema: "id BIGINT, customer STRING, amount DOUBLE, ts TIMESTAMP, item STRUCT<sku: STRING, qty: INT>"
        query: |
          SELECT id, upper(customer) AS customer, amount * item.qty AS total, ts
          FROM orders WHERE amount > 0 AND item.sku IS NOT NULL
        sinks:
          out: { kafka: { topic: valid-orders, key: customer }, format: json }
        errors: { policy: dead-letter, topic: orders-dlq }
        ```

        Durations have a unit: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`. Sizes may have one: `B`, `KB`, `MB`, `GB`,
        `TB`, in powers of 1024 (`KiB`… mean the same). Timestamps are RFC 3339 with a zone
        (`2026-01-31T12:00:00Z`), a date (midnight UTC), or milliseconds since 1970.

        """

    private static let variables = """
        ## Variables

        `${NAME}` in any value is the environment variable; where it is not set, the content of the file that
        `NAME_FILE` names; where that is not set either, an error. `${NAME:-default}` has a default for a variable
        that is not set or empty. `$${` is a plain `${`. Variables are filled in after the YAML is read: their value
        is text, never structure. In a flow map or list (`{ … }`, `[ … ]`) put them in quotes. A `$` before anything
        else means nothing.

        `MILLRACE_BROKERS` (`host:port,host:port`) stands in for `brokers` that are left out, and `--brokers` for
        all of them.

        ## Secrets

        A secret, and the value of any entry of `options`, can be written in three ways:

        ```yaml
        options:
          security.protocol: SASL_SSL
          sasl.mechanism: PLAIN
          sasl.username: alice
          sasl.password: { credential: kafka }          # $CREDENTIALS_DIRECTORY/kafka: systemd's LoadCredential=
          # sasl.password: { file: /run/secrets/kafka } # a file; one line end at its end is not part of it
          # sasl.password: "${KAFKA_PASSWORD}"          # KAFKA_PASSWORD, else the file named by KAFKA_PASSWORD_FILE
        ```

        A secret that stands in the file itself works, with a warning. No message, plan or log shows a secret, and
        lint messages quote the file, not what a variable held.

        ## YAML

        YAML 1.1 as libyaml reads it, with no guessing: a field's type reads its value, so quotes make no
        difference, `yes` is no boolean and `010` is ten. Anchors and aliases work (expanded to 100,000 values at
        most); tags, merge keys (`<<`) and a second document do not. A key that is given twice is an error. A file
        has at most 1 MiB and 64 levels.

        """
}
