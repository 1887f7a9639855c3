import ConnectorKit
import StreamCore
import StreamService

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

let missing = StreamError("NO_RUNTIME", "This build of millrace reads pipelines but holds no engine to run them.")
let commands = Commands(
    registry: BuiltinConnectors.registry, checks: .none,
    run: { _ in
        CommandOutput.standard.err("millrace: \(missing)\n")
        return .failed
    },
    plan: { _ in throw missing },
    libraries: { [] })
let program = MillraceProgram(commands: commands, environment: .process(), output: .standard)
exit(await program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
