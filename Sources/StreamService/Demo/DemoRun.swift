import ConnectorKit
import KafkaClient
import KafkaConnector
import StreamCore
import StreamEngine
import Synchronization

/// `millrace run --demo`: the pipeline at work on made-up records; what goes in and what comes out is shown beside its
/// progress.
struct DemoRun {
    let request: RunRequest
    let environment: ConfigEnvironment
    var screen = TerminalScreen(descriptor: 1)
    /// Records a second.
    var rate = 3000.0
    /// Another seed makes other records.
    var seed: UInt64 = 1

    init(_ request: RunRequest, environment: ConfigEnvironment) {
        self.request = request
        self.environment = environment
    }

    func run() -> ExitStatus {
        // On a terminal one screen, so that neither tears the other; else what is shown can be piped without the log.
        let logScreen = screen.isTerminal ? screen : TerminalScreen(descriptor: 2)
        let level = (try? LogLevel.choose(option: nil, environment: environment.variables)) ?? .info
        let log = ServiceLog.make(
            level: level, query: request.config.name.text, screen: logScreen, environment: environment.variables)
        defer { log.flush() }
        do {
            guard request.demo == .insideProcess else { return try run(request, local: nil, log, logScreen) }
            let local = try PipelineBroker(
                request.config, folder: "demo-broker", environment: environment, log: log)
            defer { local.stop() }
            var request = request
            request.config = DemoPlan.moved(request.config, to: [local.address])
            return try run(request, local: local, log, logScreen)
        } catch {
            log.error("\(error)")
            return (error as? StreamError)?.domain == .user ? .usage : .failed
        }
    }

    private func run(
        _ request: RunRequest, local: PipelineBroker?, _ log: any LogHandler, _ logScreen: TerminalScreen
    ) throws -> ExitStatus {
        let plan = try DemoPlan(request.config)
        introduce(plan, local)
        let settings = plan.connection.settings
        let positions = try prepare(plan, settings, isLocal: local != nil, log)
        let board = DemoBoard(screen: screen)
        let (writer, reader) = (DemoWorker(), DemoWorker())
        startReader(reader, plan, settings, positions, board, log)
        startWriter(writer, plan, settings, board, log)
        defer {
            writer.stop(within: .seconds(5))
            reader.stop(within: .seconds(5))
        }

        let last = Mutex<ServiceSnapshot?>(nil)
        var pipeline = PipelineRun(request, environment: environment)
        pipeline.screen = screen
        pipeline.logScreen = logScreen
        // What nobody keeps needs no identity to come back to.
        pipeline.keepsIdentity = local.map { $0.folder != nil } ?? true
        pipeline.onEnd = { snapshot in last.withLock { $0 = snapshot } }
        let status = pipeline.run()

        writer.stop(within: .seconds(5))
        if let snapshot = last.withLock({ $0 }) {
            awaitOutput(snapshot, board)
            summarize(snapshot, plan, board.counts)
        }
        return status
    }

    // MARK: - Before

    private func introduce(_ plan: DemoPlan, _ local: PipelineBroker?) {
        let brokers = plan.connection.brokers.joined(separator: ",")
        if let local {
            screen.show(line: "On a broker inside this process, at \(brokers): one node, for demos.")
            screen.show(
                line: local.folder.map {
                    "The next run goes on where this one ends, also after kill -9: all is in \($0)."
                } ?? "It keeps nothing.")
        } else {
            screen.show(line: "On the cluster at \(brokers): what is shown stays there.")
        }
        var topics = "\(plan.input) -> \(plan.config.name) -> \(plan.output)"
        if let letters = plan.config.errors.topic { topics += ", garbage -> \(letters)" }
        screen.show(line: "\(topics); about \(ProgressLine.grouped(Int64(rate))) clicks a second, from seed \(seed).")
    }

    private func prepare(
        _ plan: DemoPlan, _ settings: KafkaSettings, isLocal: Bool, _ log: any LogHandler
    ) throws(KafkaError) -> [Split: Position] {
        let topics = DemoTopics(plan: plan, isLocal: isLocal)
        let admin = try Admin(settings, log: log)
        defer { admin.close(within: .seconds(1)) }
        for topic in try topics.create(with: admin).sorted() { log.info("Created the topic '\(topic)'.") }
        return try topics.ends(with: admin)
    }

    private func startWriter(
        _ worker: DemoWorker, _ plan: DemoPlan, _ settings: KafkaSettings, _ board: DemoBoard, _ log: any LogHandler
    ) {
        let (topic, rate, seed) = (plan.input, rate, seed)
        worker.start(name: "demo-writer", every: .milliseconds(20)) { _ in
            do {
                let writer = try ClickWriter(
                    settings, topic: topic, rate: rate, seed: seed, board: board, log: log)
                return (writer.writeDue, writer.close)
            } catch {
                log.error("No clicks can be written. \(error)")
                return nil
            }
        }
    }

    private func startReader(
        _ worker: DemoWorker, _ plan: DemoPlan, _ settings: KafkaSettings, _ positions: [Split: Position],
        _ board: DemoBoard, _ log: any LogHandler
    ) {
        let (group, letters) = ("\(plan.config.name)-demo-reader", plan.config.errors.topic)
        worker.start(name: "demo-reader", every: .milliseconds(100)) { signal in
            do throws(KafkaError) {
                let reader = try OutputReader(
                    settings, groupID: group, positions: positions, deadLetters: letters, board: board, log: log,
                    onReady: { signal.raise() })
                return (reader.readReady, reader.close)
            } catch {
                log.error("The output cannot be shown. \(error)")
                return nil
            }
        }
    }

    // MARK: - After

    /// What was committed last reaches the reader a moment later.
    private func awaitOutput(_ snapshot: ServiceSnapshot, _ board: DemoBoard) {
        let clock = SystemClock()
        let deadline = clock.now + .seconds(2)
        let never = Signal()
        let records = snapshot.records
        while clock.now < deadline {
            let seen = board.counts
            if seen.output >= records.output, seen.deadLettered >= records.deadLettered { return }
            never.wait(until: clock.now + .milliseconds(20))
        }
    }

    private func summarize(_ snapshot: ServiceSnapshot, _ plan: DemoPlan, _ seen: DemoBoard.Counts) {
        func text(_ count: UInt64) -> String { ProgressLine.grouped(Int64(clamping: count)) }
        let records = snapshot.records
        screen.show(
            line: "Done: \(text(seen.generated)) records generated, \(text(records.read)) in, "
                + "\(text(records.output)) out, "
                + "\(text(records.filtered)) filtered, \(text(records.deadLettered)) dead-lettered.")
        var line = "A read_committed reader saw \(text(seen.output)) records in '\(plan.output)'"
        if let letters = plan.config.errors.topic { line += " and \(text(seen.deadLettered)) in '\(letters)'" }
        screen.show(line: line + ".")
    }
}
