import BrokerServer
import ConnectorKit
import EmbeddedBroker
import StreamCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `millrace broker`: the embedded broker as a service, until a signal ends it.
struct BrokerRun {
    let request: BrokerRequest
    let environment: ConfigEnvironment
    let output: CommandOutput
    /// For what is answered and for closing the data, after the first signal.
    private static let stopWithin = Duration.seconds(5)

    func run() -> ExitStatus {
        let log = ServiceLog.make(
            level: (try? LogLevel.choose(option: nil, environment: environment.variables)) ?? .info, query: nil,
            screen: TerminalScreen(descriptor: 2), environment: environment.variables)
        defer { log.flush() }
        var options = options()
        options.limits.connectionsMax = connectionsMax(wanted: options.limits.connectionsMax, log)
        let broker: LocalBroker
        do {
            // Wakes the thread that waits for signals: this one.
            broker = try LocalBroker(options, log: log) { _ in kill(getpid(), ServiceSignal.wake.number) }
        } catch {
            output.err("millrace: \(Self.text(of: error))\n")
            return .failed
        }
        introduce(broker, log)
        let isInOrder = supervise(broker, log)
        if let failure = broker.failure {
            output.err("millrace: the broker stopped by itself: \(Self.text(of: failure))\n")
            return .failed
        }
        return isInOrder ? .done : .failed
    }

    private func options() -> LocalBroker.Options {
        var options = LocalBroker.Options()
        options.listen = request.listen
        options.advertised = request.advertised
        options.dataFolder = request.dataFolder
        options.sync = request.sync
        options.topics = request.topics.map { ($0.name, $0.partitions) }
        options.settings.autoCreatesTopics = request.createsTopics
        options.settings.partitionsDefault = request.partitions
        return options
    }

    /// A client that is turned away with a line is better off than a log that has no file to go on in.
    private func connectionsMax(wanted: Int, _ log: any LogHandler) -> Int {
        let limit = OpenFileLimit.raised()
        let possible = limit.connections(wanted: wanted)
        if possible < wanted, let openFiles = limit.openFiles {
            log.warning(
                "At most \(possible) connections are served at a time, for want of more than the \(openFiles) open"
                    + " files that the system allows: raise its hard limit (ulimit -Hn, LimitNOFILE=) for \(wanted).")
        }
        return possible
    }

    private func introduce(_ broker: LocalBroker, _ log: any LogHandler) {
        let addresses = broker.addresses.map(\.description).joined(separator: ",")
        let place = request.dataFolder.map { "data in \($0)" } ?? "data in memory, gone when it stops"
        output.out(
            "Kafka-compatible broker on \(addresses): one node, no replication, \(place);"
                + " for development, tests and demos.\n")
        let open = broker.addresses.filter { !$0.isLoopback }
        guard !open.isEmpty else { return }
        log.warning(
            "Everyone who reaches this address can read and change everything: there is no authentication and no"
                + " encryption.",
            LogField("listen", open.map(\.description).joined(separator: ",")),
            LogField("advertised", broker.advertised.description))
    }

    // MARK: - Until the end

    /// - Returns: false where it had to be left without its data being closed in order.
    private func supervise(_ broker: LocalBroker, _ log: any LogHandler) -> Bool {
        let notifier = SystemdNotifier()
        let pulse = Pulse()
        let tick = min(notifier.watchdogInterval.map { $0 / 2 } ?? .seconds(1), .seconds(1))
        let clock = SystemClock()
        var shutdown = ShutdownMachine(drainDeadline: Self.stopWithin, closeDeadline: .seconds(2))
        notifier.notify([
            "READY=1", "STATUS=listening on \(broker.addresses.map(\.description).joined(separator: ","))",
        ])
        while !broker.hasEnded {
            let signal = SignalMask.wait(atMost: shutdown.isStopping ? .milliseconds(50) : tick)
            var action: ShutdownMachine.Action?
            switch signal {
            case .terminate?, .interrupt?: action = shutdown.handle(.stopRequested, at: clock.now)
            case .hangUp?: log.info("Received SIGHUP: ignored.")
            case .wake?, nil: action = shutdown.handle(.tick, at: clock.now)
            }
            switch action {
            case .drain:
                log.notice("Stopping.", LogField("reason", "received \(signal?.name ?? "")"))
                notifier.notify(["STOPPING=1"])
                broker.requestStop(within: Self.stopWithin / 2)
            case .stopNow, .forceExit:
                log.warning("Stopping at once: the next start checks the data.")
                return false
            case nil: break
            }
            if pulse.hasCome { notifier.notify(["WATCHDOG=1"]) }
            if notifier.watchdogInterval != nil { pulse.ask(broker) }
        }
        // The last line of its thread.
        return broker.stop(within: .seconds(1))
    }

    /// What happened and what to do.
    /// - Parameters:
    ///   - port: how another port is chosen.
    ///   - folder: how another folder is.
    static func text(of error: any Error, port: String = "with --listen", folder: String = "with --data") -> String {
        switch error {
        case let error as ServerError where error.code == .addressInUse:
            "\(error). Stop what uses it, or choose another port \(port)."
        case let error as ServerError where error.code == .notPermitted:
            "\(error). Choose a port above 1023 \(port)."
        case let error as ServerError: "\(error)."
        case StorageError.full: "the disk is full: make room, or choose another folder \(folder)."
        case StorageError.failed(let reason): "\(reason)."
        case StorageError.corrupt(let position): "a log is damaged at position \(position)."
        default: "\(error)"
        }
    }
}

/// Whether the broker's thread has come round since it was asked.
private final class Pulse: Sendable {
    private let state = Mutex((isAsked: false, hasCome: true))

    var hasCome: Bool {
        state.withLock { state in
            defer { state.hasCome = false }
            return state.hasCome
        }
    }

    func ask(_ broker: LocalBroker) {
        let isAsked = state.withLock { state in
            defer { state.isAsked = true }
            return state.isAsked
        }
        guard !isAsked else { return }
        broker.ping { [self] in state.withLock { $0 = (false, true) } }
    }
}
