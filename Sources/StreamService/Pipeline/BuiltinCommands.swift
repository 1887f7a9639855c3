public import ConnectorKit
import KafkaClient

extension Commands {
    /// The program's own commands, with every connector and library that it holds.
    public static func builtin(environment: ConfigEnvironment) -> Commands {
        Commands(
            registry: BuiltinConnectors.registry, checks: .sql,
            run: { request in
                request.demo == nil
                    ? PipelineRun(request, environment: environment).run()
                    : DemoRun(request, environment: environment).run()
            },
            plan: { request in try PlanWriter(config: request.config).answer() },
            broker: { request in BrokerRun(request: request, environment: environment, output: .standard).run() },
            libraries: { [("librdkafka", KafkaSettings.librdkafkaVersion)] })
    }
}
