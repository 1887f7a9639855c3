public import ConnectorKit
internal import KafkaConnector
private import StreamCore

/// A pipeline file, read: the configuration if there is no error, and every issue in the file's order.
public struct PipelineReading: Sendable {
    /// Nil if and only if an issue is an error.
    public var config: PipelineConfig?
    public var issues: [LintIssue]
}

/// Reads pipeline files: YAML, variables, the spec's checks, then what must hold between sections.
public struct PipelineReader: Sendable {
    public var registry: ConnectorRegistry
    public var environment: ConfigEnvironment
    public var checks: PipelineChecks
    /// `--brokers`: takes the place of every `brokers` in the file.
    public var brokers: [String]?

    public init(
        registry: ConnectorRegistry, environment: ConfigEnvironment, checks: PipelineChecks, brokers: [String]? = nil
    ) {
        self.registry = registry
        self.environment = environment
        self.checks = checks
        self.brokers = brokers
    }

    /// Reads a file; `-` is standard input.
    public func read(file: String) -> PipelineReading {
        do {
            return read(try environment.readFile(file), file: file == "-" ? "stdin" : file)
        } catch {
            let issue = LintIssue(at: ConfigPlace(file: file), path: "", "the file \(error)")
            return PipelineReading(config: nil, issues: [issue])
        }
    }

    /// Reads a file's content; `file` is for messages.
    public func read(_ bytes: [UInt8], file: String) -> PipelineReading {
        let (document, formIssues) = YAMLReader.read(bytes, file: file, environment: environment)
        var checker = ConfigChecker(environment: environment)
        checker.report(formIssues)
        guard let document, let root = checker.section(document, PipelineSpec.section(registry), path: "") else {
            return PipelineReading(config: nil, issues: checker.issues.inFileOrder())
        }
        var builder = PipelineBuilder(reader: self, root: root, checker: checker)
        let config = builder.config()
        let issues = builder.checker.issues.inFileOrder()
        return PipelineReading(config: issues.hasErrors ? nil : config, issues: issues)
    }
}
