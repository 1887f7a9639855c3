public import ConnectorKit
import KafkaClient
import StreamEngine

extension Commands {
    /// The program's own commands, with every connector and library that it holds.
    public static func builtin(environment: ConfigEnvironment) -> Commands {
        Commands(
            registry: BuiltinConnectors.registry, checks: .sql,
            run: { request in
                // On a thread of its own: the run blocks, and the shared pool must not.
                await withCheckedContinuation { continuation in
                    startThread(name: "run") {
                        continuation.resume(returning: PipelineRun(request, environment: environment).run())
                    }
                }
            },
            plan: { request in try PlanWriter(config: request.config).answer() },
            libraries: { [("librdkafka", KafkaSettings.librdkafkaVersion)] })
    }
}
