import ConnectorKit
import StreamService

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// Before any thread is there: signals are taken by one thread of the run alone.
MillraceProgram.prepareProcess()
let environment = ConfigEnvironment.process()
let program = MillraceProgram(commands: .builtin(environment: environment), environment: environment, output: .standard)
exit(await program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
