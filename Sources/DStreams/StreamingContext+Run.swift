import CommitProtocol
package import StateStore
import StreamCore
public import StreamEngine
import Synchronization

/// Where a context is in its life. Guarded by the context's mutex.
struct Lifecycle {
    enum Phase { case building, starting, running, finished }

    /// A stop that was asked for before the query was there to take it.
    struct StopRequest {
        var isGraceful: Bool
        var within: Duration
    }

    var phase = Phase.building
    var control: QueryControl?
    var stopRequest: StopRequest?
    var failure: StreamError?
    var waiters: [CheckedContinuation<Void, any Error>] = []
    var timedWaiters: [ObjectIdentifier: TimedWaiter] = [:]
}

extension StreamingContext {
    /// Starts, and returns when the query has ended: after `stop`, or at a failure. Cancelling the task stops it at
    /// once: the open batch is dropped, to be computed again at the next start.
    /// - Throws: `StreamError` that ended the query; `CancellationError` when the task was cancelled.
    public func run() async throws {
        try Task.checkCancellation()
        try start()
        try await withTaskCancellationHandler {
            try await awaitTermination()
        } onCancel: {
            stop(graceful: false)
        }
        try Task.checkCancellation()
    }

    /// Starts the query on threads of its own and returns at once.
    /// - Throws: `StreamError` when there is nothing to run (`NO_OUTPUT`) or a setting cannot be used;
    ///   `ALREADY_STARTED`.
    ///   What cannot be reached is found out later: `awaitTermination` throws it.
    public func start() throws {
        let plan = try makePlan()
        let mayStart = life.withLock { life in
            guard life.phase == .building else { return false }
            life.phase = .starting
            return true
        }
        guard mayStart else {
            throw StreamError(
                "ALREADY_STARTED", "The streaming context of '\(query)' was started before.",
                remedy: "A context runs once; make another one to run again.", domain: .user)
        }
        startThread(name: "millrace-run") { self.runToEnd(plan) }
    }

    /// Asks the query to end, and returns at once. May be called at any time, also before `start`, and again.
    ///
    /// Graceful: the open batch is finished and committed, within the deadline; what is not committed by then is
    /// dropped and computed again at the next start. Otherwise it is dropped at once. Nothing is lost or counted
    /// twice either way.
    /// - Parameter within: nil: the option `stopWithin`.
    public func stop(graceful: Bool = true, within: Duration? = nil) {
        let within = within ?? options.stopWithin
        stopRequest.request()
        let control = life.withLock { life in
            if life.control == nil {
                life.stopRequest = Lifecycle.StopRequest(isGraceful: graceful, within: within)
            }
            return life.control
        }
        guard let control else { return }
        graceful ? control.stop(within: within) : control.stopNow()
    }

    /// Waits for the end of the query; at once if it is over. The cancellation of the waiting task does not end the
    /// query.
    /// - Throws: `StreamError` that ended it.
    public func awaitTermination() async throws {
        try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<Void, any Error>) in
            let end: Result<Void, any Error>? = life.withLock { life in
                guard life.phase == .finished else {
                    life.waiters.append(waiter)
                    return nil
                }
                return life.end
            }
            if let end { waiter.resume(with: end) }
        }
    }

    /// What the query is doing; nil before it runs.
    public var status: QueryStatus.Snapshot? { life.withLock { $0.control }?.status.snapshot }

    // MARK: - On the context's thread (or a test's)

    package func makePlan() throws -> QueryPlan {
        try QueryPlan(
            graph.withLock { $0 }, query: query, batchInterval: batchInterval, options, cores: Machine.coreCount,
            SourceSettings(
                query: query, batchInterval: batchInterval,
                stateFolder: options.stateFolder ?? Machine.environment("MILLRACE_STATE_DIR"),
                hasLastingProgress: portSource.hasLastingProgress, options: options, clock: clock, commits: commits,
                listeners: listeners))
    }

    /// The query for a scheduler, over these ports.
    package func makeQuery(
        _ plan: QueryPlan, _ ports: QueryPorts, store: LocalStore? = nil,
        userOutputs: (any UserOutputPort)? = nil
    ) throws -> StreamQuery {
        let setup = StateSetup(
            query: self.query, clock: clock, store: store, cacheBytes: plan.stateShares.cacheBytes(of: plan.stateCount))
        return try StreamQuery(
            options: plan.options, input: ports.input, writer: ports.writer, changelog: ports.changelog,
            stages: plan.stages(setup),
            userOutputs: userOutputs ?? ThreadedUserOutput(concurrency: options.concurrentOutputsMax),
            clock: clock, log: options.log, onProgress: { [self] in report($0) })
    }

    /// Where state lies on this machine, so that a restart need not read it from changelogs and it may be larger than
    /// memory.
    private func openStore(_ plan: QueryPlan, _ ports: QueryPorts) throws -> LocalStore? {
        guard let folder = ports.localStateFolder, plan.stateCount > 0, options.stateBackend == .disk else {
            return nil
        }
        return try LocalStore(folder: folder, memoryBytes: plan.stateShares.storeBytes)
    }

    /// Whoever waits for the end may end the process: all is closed by then.
    private func runToEnd(_ plan: QueryPlan) {
        do {
            finish(try runQuery(plan))
        } catch {
            finish(
                error as? StreamError
                    ?? StreamError("START_FAILED", "'\(query)' could not start: \(error).", cause: error))
        }
    }

    /// - Returns: what ended the query, if not a request.
    private func runQuery(_ plan: QueryPlan) throws -> StreamError? {
        guard let ports = try portSource.open(plan.needs, log: options.log, until: stopRequest) else { return nil }
        defer { ports.close() }
        var store: LocalStore?
        defer { store?.close() }
        let query: StreamQuery
        do {
            store = try openStore(plan, ports)
            query = try makeQuery(plan, ports, store: store)
        } catch {
            // Nobody else will: the query closes its ports, and there is none.
            ports.closeUnused()
            throw error
        }
        let scheduler = ThreadScheduler(clock: clock)
        for machine in query.machines {
            // Safety: each machine goes to one thread; this one touches none of them again before they are finished.
            nonisolated(unsafe) let machine = machine
            scheduler.start(machine)
        }
        began(query.control)
        listeners.tell { $0.onStreamingStarted() }
        scheduler.join()
        return query.status.snapshot.failure
    }

    /// From now on `stop` reaches the query; what was asked before is done now.
    private func began(_ control: QueryControl) {
        let request = life.withLock { life in
            life.phase = .running
            life.control = control
            return life.stopRequest
        }
        if let request { request.isGraceful ? control.stop(within: request.within) : control.stopNow() }
    }

    private func finish(_ failure: StreamError?) {
        let (waiters, timedWaiters, end) = life.withLock { life in
            life.phase = .finished
            life.failure = failure
            defer { (life.waiters, life.timedWaiters) = ([], [:]) }
            return (life.waiters, life.timedWaiters.values, life.end)
        }
        // Its closures hold streams, which hold this context.
        graph.withLock { $0 = StreamGraph() }
        listeners.tell { $0.onStreamingStopped(failure) }
        for waiter in waiters { waiter.resume(with: end) }
        for waiter in timedWaiters { waiter.end(with: end) }
    }
}

extension Lifecycle {
    var end: Result<Void, any Error> {
        failure.map { .failure($0) } ?? .success(())
    }
}
