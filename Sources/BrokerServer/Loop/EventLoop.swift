import CUV
package import StreamCore

/// A server: one thread that reads frames from TCP clients, hands them to its handler, and sends the answers.
///
/// Safe from any thread. The handler is made, used and let go on the server's thread.
package final class EventLoop: Sendable {
    package let addresses: [ListenAddress]
    private let control: LoopControl

    /// Starts it and returns when clients can connect.
    /// - Parameters:
    ///   - addresses: where to listen; those that it listens on, with their real ports, are in `addresses` then.
    ///   - makeHandler: what it throws, the start throws.
    /// - Throws: where it cannot listen, or has no handler.
    package init(
        _ addresses: [ListenAddress], limits: ServerLimits = ServerLimits(), log: any LogHandler = NullLog(),
        makeHandler: @escaping @Sendable (any FrameTransport) throws -> any FrameHandler
    ) throws {
        let control = LoopControl()
        let start = Start { control.work(addresses, limits, log, makeHandler) }
        try start.begin()
        self.control = control
        self.addresses = try control.waitForStart()
    }

    /// Runs a job on the server's thread. Dropped when it has ended.
    package func submit(_ job: @escaping @Sendable (any FrameHandler) -> Void) { control.submit(job) }

    /// Takes no clients and requests any more, sends the answers that are there, and ends all connections.
    /// - Parameter withinMs: how long sending may take. It is less when all is sent, and a moment more at most.
    /// - Returns: whether the thread is at its end: a handler that does not return holds it.
    @discardableResult
    package func stop(withinMs: Int64) -> Bool {
        requestStop(withinMs: withinMs)
        return control.waitForEnd(withinMs: withinMs &+ min(10_000, .max &- withinMs))
    }

    /// The same without waiting for the end; also for the server's own thread.
    package func requestStop(withinMs: Int64) { control.stop(withinMs: withinMs) }
}

/// A thread's body on its way to it.
private final class Start: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func begin() throws(ServerError) {
        var thread = uv_thread_t()
        let box = unsafe Unmanaged.passRetained(self)
        let status = unsafe uv_thread_create(
            &thread,
            { raw in
                // Safety: `begin` retained exactly one for this thread.
                guard let raw = unsafe raw else { return }
                unsafe Unmanaged<Start>.fromOpaque(raw).takeRetainedValue().body()
            }, box.toOpaque())
        guard status == 0 else {
            unsafe box.release()
            throw ServerError("Could not start the server's thread", number: status)
        }
        pthread_detach(thread)
    }
}

extension LoopControl {
    /// The thread's whole life.
    fileprivate func work(
        _ addresses: [ListenAddress], _ limits: ServerLimits, _ log: any LogHandler,
        _ makeHandler: (any FrameTransport) throws -> any FrameHandler
    ) {
        do {
            let core = try LoopCore(limits: limits, log: log, control: self)
            do {
                let bound = try addresses.map { (address) throws(ServerError) in try core.listen(on: address) }
                core.handler = try makeHandler(core)
                began(core.wake, bound)
            } catch {
                core.shutDown()
                throw error
            }
            core.run()
        } catch {
            return ended(error)
        }
        ended(nil)
    }
}
