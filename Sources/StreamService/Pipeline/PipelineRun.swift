import CommitProtocol
import ConnectorKit
import KafkaClient
import KafkaConnector
import StreamCore
import StreamEngine
import Synchronization

/// `millrace run`: from a checked pipeline to its end, as a service.
struct PipelineRun {
    private(set) var request: RunRequest
    let environment: ConfigEnvironment
    /// Where progress is shown.
    var screen = TerminalScreen(descriptor: 2)
    /// Where the log goes where it is no journal; nil: beside the progress.
    var logScreen: TerminalScreen?
    /// Whether there is anything to find again after a restart.
    var keepsIdentity = true
    /// Called once the query is closed, with its last counters.
    var onEnd: (ServiceSnapshot) -> Void = { _ in }
    private let clock = SystemClock()

    init(_ request: RunRequest, environment: ConfigEnvironment) {
        self.request = request
        self.environment = environment
    }

    /// Where a stop finds the query: nowhere before it is made.
    private final class Target: Sendable {
        struct State {
            var control: QueryControl?
            var isStopping = false
        }
        let state = Mutex(State())
        /// Raised by a stop, for whoever waits before there is a query.
        let signal = Signal()

        var isStopping: Bool { state.withLock { $0.isStopping } }

        /// - Returns: false if a stop came first.
        func set(_ control: QueryControl) -> Bool {
            state.withLock {
                $0.control = control
                return !$0.isStopping
            }
        }

        func stop(_ action: (QueryControl) -> Void) {
            let control = state.withLock { state in
                state.isStopping = true
                return state.control
            }
            if let control { action(control) }
            signal.raise()
        }
    }

    func run() -> ExitStatus {
        let config = request.config
        let log = ServiceLog.make(
            level: (try? LogLevel.choose(option: nil, environment: environment.variables)) ?? .info,
            query: config.name.text, screen: logScreen ?? screen, environment: environment.variables)
        let monitor = QueryMonitor(query: config.name, clock: clock)
        // For people who look: on a terminal always, elsewhere often only where the run is a short one.
        let printer = ProgressPrinter(
            screen: screen, style: screen.isTerminal ? .rewritten : .lines,
            interval: screen.isTerminal || request.duration != nil ? nil : .seconds(30))
        let target = Target()
        let supervisor = makeSupervisor(log, monitor, printer, target)
        defer { log.flush() }
        do {
            try supervisor.start()
            let server = try config.http.map { address in
                try HTTPServer(
                    listen: address,
                    routes: HTTPRoutes(
                        version: MillraceProgram.version, heartbeats: monitor.heartbeats, status: { monitor.snapshot }))
            }
            defer { server?.close() }
            if let duration = request.duration { stopLater(duration, supervisor) }
            let inside = try startBroker(log, supervisor)
            defer { inside?.stop() }
            try connected(to: inside).runQuery(log, monitor, target)
            if let failure = inside?.failure { throw failure }
            let last = monitor.snapshot
            printer.finish(last)
            onEnd(last)
        } catch {
            log.error("\(error)", LogField("query", config.name))
            _ = supervisor.finish()
            // What is wrong with the pipeline is a matter of its configuration; everything else of the world it runs
            // in.
            return (error as? StreamError)?.domain == .user ? .usage : .failed
        }
        let code = supervisor.finish()
        if let failure = monitor.failure {
            log.error("\(failure)", LogField("query", config.name))
            return .failed
        }
        return ExitStatus(rawValue: code) ?? .failed
    }

    private func makeSupervisor(
        _ log: any LogHandler, _ monitor: QueryMonitor, _ printer: ProgressPrinter, _ target: Target
    ) -> ServiceSupervisor {
        let clock = clock
        var options = ServiceSupervisor.Options()
        // Whoever asks a second time wants the end; the next start cleans up what the brokers still hold.
        options.closeDeadline = .seconds(2)
        return ServiceSupervisor(
            options: options, heartbeats: monitor.heartbeats, log: log, clock: clock, status: { monitor.snapshot },
            handlers: ServiceSupervisor.Handlers(
                drain: { until in
                    monitor.noteStopping()
                    target.stop { $0.stop(within: until - clock.now) }
                },
                stopNow: { target.stop { $0.stopNow() } },
                tick: { printer.show($0) }))
    }

    private func stopLater(_ duration: Duration, _ supervisor: ServiceSupervisor) {
        let end = clock.now + duration
        let clock = clock
        startThread(name: "timer") {
            let never = Signal()
            while clock.now < end { never.wait(until: end) }
            supervisor.requestStop("--for is over")
        }
    }

    // MARK: - The broker inside this process

    private func startBroker(
        _ log: any LogHandler, _ supervisor: ServiceSupervisor
    ) throws(StreamError) -> PipelineBroker? {
        let config = request.config
        guard let port = config.embeddedPort else { return nil }
        let inside = try PipelineBroker(
            config, folder: "broker", port: port, topics: config.dataTopics, environment: environment, log: log,
            onFailure: { supervisor.requestStop("the embedded broker stopped") })
        log.notice(
            "A broker inside this process serves the pipeline: one node, for development and tests.",
            LogField("brokers", inside.address), LogField("data", inside.folder ?? "in memory, gone at the end"))
        return inside
    }

    private func connected(to inside: PipelineBroker?) -> PipelineRun {
        guard let inside else { return self }
        var run = self
        run.request.config = request.config.reconnected { connection in
            guard connection.embeddedPort != nil else { return connection }
            return KafkaConnection(brokers: [inside.address], options: connection.options)
        }
        return run
    }

    // MARK: - The query

    private func runQuery(_ log: any LogHandler, _ monitor: QueryMonitor, _ target: Target) throws {
        let config = request.config
        let identity = try identity(log)
        monitor.name(instance: identity.name)
        guard let preparation = try prepare(log, monitor, target) else { return }
        let assembly = PipelineAssembly(
            config: config, registry: request.registry, identity: identity, preparation: preparation, log: log,
            clock: clock)
        let assembled = try assembly.assemble(monitor.record)
        monitor.watch(assembled.query.status)
        let scheduler = ThreadScheduler(clock: clock)
        for machine in monitor.watched(assembled.query.machines) { scheduler.start(machine) }
        if !target.set(assembled.query.control) { assembled.query.control.stopNow() }
        scheduler.join()
        for writer in assembled.writers.values { try writer.close(within: .seconds(5)) }
    }

    /// From the folder that was asked for, else from the user's own; a folder that nobody named may be missing.
    private func identity(_ log: any LogHandler) throws -> InstanceIdentity {
        let query = request.config.name
        guard keepsIdentity else { return try InstanceIdentity(query: query, folder: nil) }
        if let folder = request.config.stateFolder { return try InstanceIdentity(query: query, folder: folder) }
        do {
            let folder = try environment.userStateFolder()
            return try InstanceIdentity(query: query, folder: folder)
        } catch {
            log.notice(
                "\(error) The identity is per process: recovery after a crash waits for time-outs. Set 'state-dir'.")
            return try InstanceIdentity(query: query, folder: nil)
        }
    }

    /// Tries until the clusters answer, or a stop comes (nil). A broker that is away must not end a service.
    private func prepare(
        _ log: any LogHandler, _ monitor: QueryMonitor, _ target: Target
    ) throws -> ClusterPreparation.Answer? {
        let preparation = ClusterPreparation(config: request.config, log: log)
        var pause = Duration.milliseconds(200)
        while !target.isStopping {
            do {
                return try preparation.run()
            } catch let error as KafkaError where error.isWorthWaiting {
                monitor.noteTrouble(error.streamError)
                let brokers = request.config.cluster?.brokers.joined(separator: ",") ?? ""
                log.warning(
                    "\(error) Trying again.", LogField("query", request.config.name), LogField("brokers", brokers))
            } catch let error as KafkaError {
                throw error.streamError
            }
            target.signal.wait(until: clock.now + pause)
            pause = min(pause * 2, .seconds(5))
        }
        return nil
    }
}

extension KafkaError {
    /// Whether time, or a person with the cluster's tools, can mend it while the service waits: nearly everything but a
    /// wrong setting.
    var isWorthWaiting: Bool { code != .invalidArgument }
}
