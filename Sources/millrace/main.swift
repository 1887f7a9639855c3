import ConnectorKit
import StreamService

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// Before any thread is there: signals are taken by one thread of the run alone. No await here: the concurrency runtime
// would take over the main thread and unblock its signals.
MillraceProgram.prepareProcess()
let environment = ConfigEnvironment.process()
let program = MillraceProgram(commands: .builtin(environment: environment), environment: environment, output: .standard)
exit(program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
