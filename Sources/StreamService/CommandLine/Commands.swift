public import ConnectorKit

/// What the program ends with.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case done = 0
    case failed = 1
    /// A wrong command line, or a configuration that cannot be used.
    case usage = 2

    var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "failed"
        case .usage: "wrong usage, or a configuration that cannot be used"
        }
    }
}

/// Where `millrace run --demo` runs.
public enum DemoCluster: Sendable, Hashable {
    /// The embedded broker: it takes the place of the pipeline's brokers.
    case insideProcess
    /// The brokers of `--brokers`.
    case given
}

/// What `millrace run` asks for.
public struct RunRequest: Sendable {
    public var config: PipelineConfig
    /// `--for`: stop gracefully after so long; nil: run until the query ends or is stopped.
    public var duration: Duration?
    public var registry: ConnectorRegistry
    /// `--demo`: made-up records go in, and what goes in and comes out is shown.
    public var demo: DemoCluster?
}

/// What `millrace plan` asks for.
public struct PlanRequest: Sendable {
    public var config: PipelineConfig
    public var registry: ConnectorRegistry
}

/// A plan as people and as programs read it.
public struct PlanAnswer: Sendable {
    public var text: String
    public var json: JSONText

    public init(text: String, json: JSONText) {
        self.text = text
        self.json = json
    }
}

/// What the commands do, handed in by the program: the command line itself knows no engine.
public struct Commands: Sendable {
    public var registry: ConnectorRegistry
    public var checks: PipelineChecks
    /// Runs until the query ends, is stopped by a signal, or fails; says why on standard error.
    public var run: @Sendable (RunRequest) -> ExitStatus
    /// - Throws: an error whose description says why there is no plan.
    public var plan: @Sendable (PlanRequest) throws -> PlanAnswer
    /// Runs the embedded broker until it is stopped by a signal, or fails.
    public var broker: @Sendable (BrokerRequest) -> ExitStatus
    /// Libraries that behaviour depends on, with the versions in use: `librdkafka`, `2.0.2`.
    public var libraries: @Sendable () -> [(name: String, version: String)]

    public init(
        registry: ConnectorRegistry, checks: PipelineChecks, run: @escaping @Sendable (RunRequest) -> ExitStatus,
        plan: @escaping @Sendable (PlanRequest) throws -> PlanAnswer,
        broker: @escaping @Sendable (BrokerRequest) -> ExitStatus,
        libraries: @escaping @Sendable () -> [(name: String, version: String)]
    ) {
        self.registry = registry
        self.checks = checks
        self.run = run
        self.plan = plan
        self.broker = broker
        self.libraries = libraries
    }
}

/// Where a command's words go.
public struct CommandOutput: Sendable {
    /// What was asked for.
    public var out: @Sendable (String) -> Void
    /// What went wrong.
    public var err: @Sendable (String) -> Void

    public init(out: @escaping @Sendable (String) -> Void, err: @escaping @Sendable (String) -> Void) {
        self.out = out
        self.err = err
    }
}
