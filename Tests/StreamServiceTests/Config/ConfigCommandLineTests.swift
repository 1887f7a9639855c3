import ConnectorKit
import KafkaConnector
import StreamCore
import Synchronization
import Testing

@testable import StreamService

@Suite struct ConfigCommandLineTests {
    /// The program with a file system of one pipeline and commands that only remember.
    private final class Fixture: Sendable {
        let out = Mutex("")
        let err = Mutex("")
        let runs = Mutex<[RunRequest]>([])

        func run(_ arguments: String...) async -> StreamService.ExitStatus {
            let files = ["good.yaml": PipelineSample.orders, "bad.yaml": "nme: x\nname: q\n"]
            let environment = ConfigEnvironment { path in
                guard let text = files[path] else { throw FileProblem("does not exist") }
                return Array(text.utf8)
            }
            let commands = Commands(
                registry: BuiltinConnectors.registry, checks: .none,
                run: { request in
                    self.runs.withLock { $0.append(request) }
                    return .failed
                },
                plan: { request in
                    if request.config.cluster?.brokers == ["down:1"] { throw StreamError("X", "No plan.") }
                    let name = request.config.name.text
                    return PlanAnswer(text: "plan of \(name)", json: ["name": .string(name)])
                },
                broker: { _ in .failed }, libraries: { [("librdkafka", "2.0.2")] })
            let output = CommandOutput(
                out: { text in self.out.withLock { $0 += text } }, err: { text in self.err.withLock { $0 += text } })
            return MillraceProgram(commands: commands, environment: environment, output: output).run(arguments)
        }

        var said: String { out.withLock { $0 } }
        var complained: String { err.withLock { $0 } }
    }

    @Test func runHandsOverWhatWasAskedFor() async throws {
        let fixture = Fixture()
        #expect(await fixture.run("run", "good.yaml", "--brokers", "a:1,b:2", "--for=20s") == .failed)
        let request = try #require(fixture.runs.withLock { $0.first })
        #expect(request.config.name == QueryName("valid-orders"))
        #expect(request.config.cluster?.brokers == ["a:1", "b:2"])
        #expect(request.duration == .seconds(20))
        #expect(fixture.complained == "")
    }

    @Test func aDemoBringsItsClusterUnlessOneIsGiven() async throws {
        let fixture = Fixture()
        _ = await fixture.run("run", "good.yaml")
        _ = await fixture.run("run", "good.yaml", "--demo")
        _ = await fixture.run("run", "good.yaml", "--demo", "--brokers", "a:1")
        let requests = fixture.runs.withLock { $0 }
        #expect(requests.map(\.demo) == [nil, .insideProcess, .given])
        #expect(requests.last?.config.cluster?.brokers == ["a:1"])
    }

    @Test func runRefusesWhatIsWrong() async {
        let fixture = Fixture()
        #expect(await fixture.run("run", "bad.yaml") == .usage)
        #expect(fixture.complained.hasPrefix("bad.yaml:1:1: nme: unknown field, did you mean 'name'?\n"))
        #expect(fixture.runs.withLock { $0.isEmpty })
    }

    @Test func lintPrintsAllIssuesOfAllFiles() async {
        let fixture = Fixture()
        #expect(await fixture.run("lint", "good.yaml", "bad.yaml", "none.yaml") == .usage)
        let lines = fixture.said.split(separator: "\n")
        #expect(lines.first == "good.yaml: ok")
        #expect(lines.last == "none.yaml:1:1: the file does not exist")
        #expect(lines.count == 6)
        let good = Fixture()
        #expect(await good.run("lint", "good.yaml") == .done)
    }

    @Test func lintWritesJSON() async {
        let fixture = Fixture()
        #expect(await fixture.run("lint", "--json", "none.yaml") == .usage)
        #expect(
            fixture.said == """
                [
                  {
                    "file": "none.yaml",
                    "line": 1,
                    "column": 1,
                    "severity": "error",
                    "path": "",
                    "message": "the file does not exist"
                  }
                ]

                """)
        let good = Fixture()
        #expect(await good.run("lint", "--json", "good.yaml") == .done)
        #expect(good.said == "[]\n")
    }

    @Test func planPrintsTextOrJSON() async {
        let fixture = Fixture()
        #expect(await fixture.run("plan", "good.yaml") == .done)
        #expect(await fixture.run("plan", "good.yaml", "--json") == .done)
        #expect(fixture.said == "plan of valid-orders\n{\n  \"name\": \"valid-orders\"\n}\n")
        #expect(await fixture.run("plan", "good.yaml", "--brokers", "down:1") == .failed)
        #expect(fixture.complained == "millrace: [X] No plan.\n")
    }

    @Test func versionNamesTheLibraries() async {
        let fixture = Fixture()
        #expect(await fixture.run("--version") == .done)
        #expect(fixture.said == "millrace \(MillraceProgram.version)\nlibrdkafka 2.0.2\n")
    }

    @Test(arguments: [
        (["lnt"], "millrace: unknown command 'lnt', did you mean 'lint'?\nTry 'millrace help'.\n"),
        (["--hlp"], "millrace: unknown option '--hlp', did you mean '--help'?\nTry 'millrace help'.\n"),
        (["run"], "millrace: FILE is missing\nTry 'millrace help run'.\n"),
        (["run", "a", "b"], "millrace: unexpected argument 'b'\nTry 'millrace help run'.\n"),
        (
            ["run", "a", "--fro", "3s"],
            "millrace: unknown option '--fro', did you mean '--for'?\nTry 'millrace help run'.\n"
        ),
        (["run", "a", "--for"], "millrace: the option --for needs a value: DURATION\nTry 'millrace help run'.\n"),
        (
            ["run", "a", "--for", "3"],
            "millrace: --for '3': expected a duration such as 20s\nTry 'millrace help run'.\n"
        ),
        (["lint", "--json=x", "a"], "millrace: the option --json takes no value\nTry 'millrace help lint'.\n"),
        (["plan", "--", "--json", "x"], "millrace: unexpected argument 'x'\nTry 'millrace help plan'.\n"),
        (["help", "rnu"], "millrace: unknown command 'rnu', did you mean 'run'?\nTry 'millrace help'.\n"),
        (["connectors", "x"], "millrace: FOLDER goes with --docs\nTry 'millrace help connectors'.\n"),
    ])
    func usageProblems(arguments: [String], message: String) {
        let fixture = Fixture()
        let environment = ConfigEnvironment { _ in throw FileProblem("does not exist") }
        let commands = Commands(
            registry: BuiltinConnectors.registry, checks: .none, run: { _ in .done },
            plan: { _ in PlanAnswer(text: "", json: .null) }, broker: { _ in .done }, libraries: { [] })
        let output = CommandOutput(out: { _ in }, err: { text in fixture.err.withLock { $0 += text } })
        let program = MillraceProgram(commands: commands, environment: environment, output: output)
        #expect(program.run(arguments) == .usage)
        #expect(fixture.complained == message)
    }

    @Test func helpIsOnePage() async {
        for arguments in [[], ["help"], ["--help"], ["-h"]] as [[String]] {
            let fixture = Fixture()
            let status: StreamService.ExitStatus
            if let first = arguments.first { status = await fixture.run(first) } else { status = await fixture.run() }
            #expect(status == .done)
            #expect(fixture.said == Self.helpPage)
        }
    }

    @Test func runHelpIsOnePage() async {
        for arguments in [("help", "run"), ("run", "--help")] {
            let fixture = Fixture()
            #expect(await fixture.run(arguments.0, arguments.1) == .done)
            #expect(fixture.said == Self.runHelpPage)
        }
    }

    @Test func everyCommandHasHelp() async {
        for command in CommandLineSpec.millrace.commands {
            let fixture = Fixture()
            #expect(await fixture.run(command.name, "--help") == .done)
            #expect(fixture.said.hasPrefix("\(command.summary).\n\nUsage: millrace \(command.name)"))
            #expect(fixture.said.split(separator: "\n").allSatisfy { $0.count <= 100 })
        }
    }

    @Test func connectorsListAndSchema() async {
        let fixture = Fixture()
        #expect(await fixture.run("connectors") == .done)
        let names = fixture.said.split(separator: "\n").map { $0.split(separator: " ").first ?? "" }
        #expect(names == ["kafka", "generate", "file", "stdout"])
        let schema = Fixture()
        #expect(await schema.run("connectors", "--schema") == .done)
        #expect(schema.said.contains(#""required": ["#) && schema.said.contains(#""max-offsets-per-trigger": {"#))
    }

    private static let helpPage = """
        millrace - stream processing for Kafka, exactly once

        Usage: millrace COMMAND [OPTION…]

        Commands:
          run         Run a pipeline until it ends or is stopped
          lint        Check pipelines and print every mistake with its place
          plan        Show what a pipeline would do, with its topics and permissions
          connectors  List the connectors, or write their reference
          broker      Run a Kafka-compatible broker of one node, for development and tests
          version     Print the versions of millrace and of the libraries it uses
          help        Show this help, or that of a command

        'millrace help COMMAND' tells more about a command.

        Exit status:
          0  done
          1  failed
          2  wrong usage, or a configuration that cannot be used

        Examples:
          # is the pipeline right?
          millrace lint pipeline.yaml
          # run it until Ctrl-C or SIGTERM
          millrace run pipeline.yaml

        """

    private static let runHelpPage = """
        Run a pipeline until it ends or is stopped.

        Usage: millrace run FILE [OPTION…]

        FILE is a pipeline in YAML; '-' is standard input. SIGTERM and SIGINT finish or drop what
        is in flight, commit and end with status 0; a second one ends at once. Brokers that the
        file leaves out are those of MILLRACE_BROKERS.

        --demo runs on a broker inside the process, whose data are kept in the state folder: the
        next run goes on where this one ends, also after kill -9. With --brokers it runs on that
        cluster. Topics that are missing are created.

        Options:
          --brokers HOST:PORT,…  Use these brokers in place of those in the file.
          --for DURATION         Stop after this time, as on SIGTERM.
          --demo                 Write made-up clicks to the source, show what goes in and comes out.
          --help                 Show this help.

        Examples:
          # until Ctrl-C
          millrace run pipeline.yaml
          # on another cluster, for twenty seconds
          millrace run pipeline.yaml --brokers localhost:9092 --for 20s
          # see it work, without a cluster
          millrace run examples/clicks/pipeline.yaml --demo

        """
}
