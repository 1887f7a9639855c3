public import ConnectorKit
private import KafkaClient
private import KafkaConnector

/// The program `millrace`: understands a command line, does what it says, gives the exit status.
public struct MillraceProgram: Sendable {
    /// Ours; the libraries' come from `Commands.libraries`.
    public static let version = "0.1.0"

    private let commands: Commands
    private let environment: ConfigEnvironment
    private let output: CommandOutput
    private let spec = CommandLineSpec.millrace

    public init(commands: Commands, environment: ConfigEnvironment, output: CommandOutput) {
        self.commands = commands
        self.environment = environment
        self.output = output
    }

    /// Blocks the signals that a run takes by itself, and keeps the allocator small; first in main, before any thread
    /// is started.
    public static func prepareProcess() {
        SignalMask.block()
        ProcessHeap.prepare()
    }

    /// Does what the arguments (without the program's name) say.
    public func run(_ arguments: [String]) -> ExitStatus {
        let call: CommandCall
        do throws(UsageProblem) {
            call = try spec.parse(arguments)
        } catch {
            let help = error.command.map { "millrace help \($0)" } ?? "millrace help"
            output.err("millrace: \(error.message)\nTry '\(help)'.\n")
            return .usage
        }
        switch call.command {
        case "run": return runPipeline(call)
        case "plan": return planPipeline(call)
        case "lint": return lint(call)
        case "connectors": return connectors(call)
        case "broker": return commands.broker(BrokerRequest(call))
        case "version": return printVersions()
        default: return help(call)
        }
    }

    private func runPipeline(_ call: CommandCall) -> ExitStatus {
        let isDemo = call.flags.contains("demo")
        let demo: DemoCluster? = isDemo ? (call.values["brokers"] == nil ? .insideProcess : .given) : nil
        // A place holder, so that no file needs brokers: the embedded broker's take its place.
        let inside = demo == .insideProcess ? ["127.0.0.1:9092"] : nil
        guard let config = readPipeline(call, brokers: inside) else { return .usage }
        let duration = call.values["for"].flatMap(Units.duration)
        return commands.run(
            RunRequest(config: config, duration: duration, registry: commands.registry, demo: demo))
    }

    private func planPipeline(_ call: CommandCall) -> ExitStatus {
        guard let config = readPipeline(call) else { return .usage }
        do {
            let plan = try commands.plan(PlanRequest(config: config, registry: commands.registry))
            let text = call.flags.contains("json") ? plan.json.prettyText : plan.text
            output.out(text.hasSuffix("\n") ? text : text + "\n")
            return .done
        } catch {
            output.err("millrace: \(error)\n")
            return .failed
        }
    }

    /// The pipeline, or nil once everything that is wrong with it was said.
    private func readPipeline(_ call: CommandCall, brokers: [String]? = nil) -> PipelineConfig? {
        let brokers = call.values["brokers"].map(KafkaNames.brokers) ?? brokers
        let reading = reader(brokers: brokers).read(file: call.arguments[0])
        for issue in reading.issues { output.err("\(issue)\n") }
        return reading.config
    }

    private func reader(brokers: [String]? = nil) -> PipelineReader {
        PipelineReader(registry: commands.registry, environment: environment, checks: commands.checks, brokers: brokers)
    }

    private func lint(_ call: CommandCall) -> ExitStatus {
        var issues: [LintIssue] = []
        for file in call.arguments {
            let found = reader().read(file: file).issues
            issues += found
            guard !call.flags.contains("json") else { continue }
            for issue in found { output.out("\(issue)\n") }
            if found.isEmpty { output.out("\(file): ok\n") }
        }
        if call.flags.contains("json") { output.out(LintReport.json(issues).prettyText + "\n") }
        return issues.hasErrors ? .usage : .done
    }

    private func connectors(_ call: CommandCall) -> ExitStatus {
        let registry = commands.registry
        if call.flags.contains("docs") {
            do {
                for file in try PipelineReference.write(registry, into: call.arguments.first ?? "docs") {
                    output.out("\(file)\n")
                }
                return .done
            } catch {
                output.err("millrace: \(error)\n")
                return .failed
            }
        }
        guard call.arguments.isEmpty else {
            output.err("millrace: FOLDER goes with --docs\nTry 'millrace help connectors'.\n")
            return .usage
        }
        if call.flags.contains("schema") {
            let schema = SchemaWriter.document(PipelineSpec.section(registry), title: "A Millrace pipeline")
            output.out(schema.prettyText + "\n")
        } else {
            let rows = registry.specs.map {
                ("\($0.name)", "\($0.roles.map(\.rawValue).joined(separator: ", ")): \($0.summary)")
            }
            output.out(CommandLineSpec.table(rows))
        }
        return .done
    }

    private func printVersions() -> ExitStatus {
        output.out("millrace \(Self.version)\n")
        for library in commands.libraries() { output.out("\(library.name) \(library.version)\n") }
        return .done
    }

    private func help(_ call: CommandCall) -> ExitStatus {
        guard let name = call.arguments.first else {
            output.out(spec.help)
            return .done
        }
        guard let command = spec.command(name) else {
            let ending = Suggestion.ending(for: name, among: spec.commands.map(\.name))
            output.err("millrace: unknown command \(quoted(name))\(ending)\nTry 'millrace help'.\n")
            return .usage
        }
        output.out(spec.help(command))
        return .done
    }
}

/// Issues as a program reads them.
enum LintReport {
    static func json(_ issues: [LintIssue]) -> JSONText {
        .array(
            issues.map { issue in
                [
                    "file": .string(issue.place.file), "line": .integer(Int64(issue.place.line)),
                    "column": .integer(Int64(issue.place.column)), "severity": .string(issue.severity.rawValue),
                    "path": .string(issue.path), "message": .string(issue.message),
                ]
            })
    }
}
