import CUV
import StreamCore

/// All that a server's thread works on. It is made, used and ended on that thread.
///
/// Each event ends in `settle`: answers go out, connections that were closed are told to the handler, and the timer is
/// set. So the handler is never called while it runs, however it uses the transport.
final class LoopCore {
    let loop: UVLoop
    let limits: ServerLimits
    let log: any LogHandler
    var handler: (any FrameHandler)?

    var listeners: [Listener] = []
    var connections: [ConnectionID: Connection] = [:]
    var lastNumber: UInt64 = 0
    var touched: [Connection] = []
    var closed: [ConnectionID] = []

    /// Bytes of unfinished frames, and of answers, over all connections.
    var readBytes = 0
    var unsentBytes = 0
    /// The one that is still read from when there are too many bytes of unfinished frames: it began first.
    var elder: ConnectionID?
    /// Those that wait for a limit over all connections.
    var waiting: Set<ConnectionID> = []

    /// Where bytes are read to that are not known to belong to a large frame.
    var scratch = [UInt8](repeating: 0, count: 131_072)
    var nextSweepMs: Int64 = 0
    var stopMs: Int64?
    private var throttles: [String: LogThrottle] = [:]

    private let startMs: Int64
    private let startTicks: UInt64
    private(set) var nowMs: Int64
    private var timer: TimerHandle?
    private var timerMs: Int64?
    private(set) var wake: WakeHandle?
    private let control: LoopControl

    init(limits: ServerLimits, log: any LogHandler, control: LoopControl) throws(ServerError) {
        loop = try UVLoop()
        self.limits = limits
        self.log = log
        self.control = control
        var clock = uv_timeval64_t()
        _ = unsafe uv_gettimeofday(&clock)
        startMs = clock.tv_sec &* 1_000 &+ Int64(clock.tv_usec / 1_000)
        startTicks = uv_hrtime()
        nowMs = startMs
        do throws(ServerError) {
            timer = try TimerHandle(loop) { [unowned self] in event { timerMs = nil } }
            wake = try WakeHandle(loop) { [unowned self] in event { takeRequests() } }
        } catch {
            shutDown()
            throw error
        }
    }

    /// Works until it was asked to stop and has ended its connections.
    func run() {
        event {}
        loop.run()
        handler?.stopped()
        handler = nil
    }

    /// Closes every handle of a loop that did not begin its work.
    func shutDown() {
        for listener in listeners { listener.close() }
        listeners = []
        wake?.close()
        timer?.close()
        loop.run()
    }

    // MARK: - Events

    func event(_ body: () -> Void) {
        nowMs = startMs &+ Int64((uv_hrtime() &- startTicks) / 1_000_000)
        body()
        settle()
    }

    func touch(_ connection: Connection) {
        guard !connection.isTouched else { return }
        connection.isTouched = true
        touched.append(connection)
    }

    private func settle() {
        if let deadline = handler?.nextDeadlineMs, deadline <= nowMs { handler?.advance(nowMs: nowMs) }
        if nowMs >= nextSweepMs { sweep() }
        while !touched.isEmpty || !closed.isEmpty {
            let now = touched
            touched = []
            for connection in now {
                connection.isTouched = false
                work(on: connection)
            }
            let gone = closed
            closed = []
            for id in gone { handler?.disconnected(id) }
        }
        if let stopMs, connections.isEmpty || nowMs >= stopMs { return finish() }
        setTimer()
    }

    private func takeRequests() {
        let requests = control.takeRequests()
        if let handler {
            for job in requests.jobs { job(handler) }
        }
        guard let within = requests.stopWithinMs else { return }
        stopMs = min(stopMs ?? .max, nowMs &+ min(within, .max &- nowMs))
        for listener in listeners { listener.close() }
        listeners = []
        for connection in connections.values { touch(connection) }
    }

    /// Closes what is left; the loop ends when libuv has closed all handles.
    private func finish() {
        for connection in connections.values { drop(connection, .info, "the server stops") }
        for id in closed { handler?.disconnected(id) }
        closed = []
        touched = []
        control.detach()
        wake?.close()
        timer?.close()
    }

    private func setTimer() {
        var due = handler?.nextDeadlineMs ?? .max
        if !connections.isEmpty || listeners.contains(where: \.isPaused) { due = min(due, nextSweepMs) }
        if let stopMs { due = min(due, stopMs) }
        guard due != timerMs else { return }
        timerMs = due
        // A deadline that the handler leaves in the past, be it the earliest of all, must not make the loop spin.
        if due == .max { timer?.stop() } else { timer?.start(afterMs: max(due, nowMs &+ 1) &- nowMs) }
    }

    // MARK: - Log

    /// Logs a line of a kind that clients can cause, once a second at most.
    func report(_ level: LogLevel, _ message: String, _ peer: String, _ kind: String) {
        guard let suppressed = throttles[kind, default: LogThrottle()].pass(nowMs: nowMs) else { return }
        var fields = [LogField("address", peer)]
        if suppressed > 0 { fields.append(LogField("more_since_last", suppressed)) }
        log.log(level, message, fields)
    }
}

extension LoopCore: FrameTransport {
    var addresses: [ListenAddress] { listeners.map(\.address) }

    func respond(to request: RequestID, with response: ResponseBytes?) -> Bool {
        guard let connection = connections[request.connection], !connection.isClosing,
            connection.slots.fill(request.sequence, with: response)
        else { return false }
        if let response {
            connection.unsent += response.count + 4
            unsentBytes += response.count + 4
        }
        touch(connection)
        return true
    }

    func close(_ id: ConnectionID, because reason: String) {
        guard let connection = connections[id] else { return }
        drop(connection, .warning, reason)
    }
}
