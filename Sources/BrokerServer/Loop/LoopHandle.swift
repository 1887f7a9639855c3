import CUV

/// libuv's loop. Made, used and ended by one thread.
@safe
final class UVLoop {
    let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)

    init() throws(ServerError) {
        let status = unsafe uv_loop_init(raw)
        guard status == 0 else {
            unsafe raw.deallocate()
            throw ServerError("Could not make an event loop", number: status)
        }
    }

    /// Works until no handle is open.
    func run() { _ = unsafe uv_run(raw, UV_RUN_DEFAULT) }

    deinit {
        // Every open handle holds the loop's memory: one that is left would be used after it is freed.
        let status = unsafe uv_loop_close(raw)
        precondition(status == 0, "an event loop ended with open handles")
        unsafe raw.deallocate()
    }
}

/// One libuv handle. While it is open it keeps itself alive: libuv has its address until the callback of `uv_close`.
@safe
class LoopHandle {
    let loop: UVLoop
    fileprivate let memory: UnsafeMutableRawPointer
    private var isOpen = false
    private(set) var isClosed = false

    fileprivate init(_ type: uv_handle_type, _ loop: UVLoop) {
        self.loop = loop
        unsafe memory = .allocate(byteCount: uv_handle_size(type), alignment: 16)
    }

    fileprivate var handle: UnsafeMutablePointer<uv_handle_t> {
        unsafe memory.assumingMemoryBound(to: uv_handle_t.self)
    }

    fileprivate func opened() {
        isOpen = true
        unsafe handle.pointee.data = unsafe Unmanaged.passRetained(self).toOpaque()
    }

    /// No event comes after this.
    func close() {
        guard isOpen, !isClosed else { return }
        isClosed = true
        forget()
        unsafe uv_close(handle) { raw in
            // Safety: `opened` retained the handle once, and this is libuv's last use of it.
            guard let data = unsafe raw?.pointee.data else { return }
            unsafe Unmanaged<LoopHandle>.fromOpaque(data).release()
        }
    }

    /// Lets go of what is called on events.
    fileprivate func forget() {}

    /// The object behind a handle that libuv calls about: it is open, hence alive.
    fileprivate static func owner(_ data: UnsafeMutableRawPointer?) -> LoopHandle? {
        guard let data = unsafe data else { return nil }
        return unsafe Unmanaged<LoopHandle>.fromOpaque(data).takeUnretainedValue()
    }

    deinit { unsafe memory.deallocate() }
}

/// Tells when a socket can be read or written.
@safe
final class PollHandle: LoopHandle {
    struct Events: OptionSet {
        let rawValue: Int32
        static let readable = Events(rawValue: Int32(UV_READABLE.rawValue))
        static let writable = Events(rawValue: Int32(UV_WRITABLE.rawValue))
    }

    /// Called with the events, or with nil where the socket failed.
    private var onEvents: ((Events?) -> Void)?
    private(set) var wanted: Events = []

    /// The socket must not block, and must stay open until `close`.
    init(_ loop: UVLoop, socket: Int32, _ onEvents: @escaping (Events?) -> Void) throws(ServerError) {
        super.init(UV_POLL, loop)
        let status = unsafe uv_poll_init(loop.raw, poll, socket)
        guard status == 0 else { throw ServerError("Could not watch a socket", number: status) }
        self.onEvents = onEvents
        opened()
    }

    private var poll: UnsafeMutablePointer<uv_poll_t> { unsafe memory.assumingMemoryBound(to: uv_poll_t.self) }

    func want(_ events: Events) {
        guard !isClosed, events != wanted else { return }
        wanted = events
        guard !events.isEmpty else {
            _ = unsafe uv_poll_stop(poll)
            return
        }
        _ = unsafe uv_poll_start(poll, events.rawValue) { raw, status, events in
            guard let data = unsafe raw?.pointee.data, let owner = unsafe LoopHandle.owner(data) as? PollHandle else {
                return
            }
            // libuv stops watching a socket that failed.
            if status < 0 { owner.wanted = [] }
            owner.onEvents?(status < 0 ? nil : Events(rawValue: events))
        }
    }

    override fileprivate func forget() { onEvents = nil }
}

/// Fires once at a time.
@safe
final class TimerHandle: LoopHandle {
    private var onTime: (() -> Void)?

    init(_ loop: UVLoop, _ onTime: @escaping () -> Void) throws(ServerError) {
        super.init(UV_TIMER, loop)
        let status = unsafe uv_timer_init(loop.raw, timer)
        guard status == 0 else { throw ServerError("Could not make a timer", number: status) }
        self.onTime = onTime
        opened()
    }

    private var timer: UnsafeMutablePointer<uv_timer_t> { unsafe memory.assumingMemoryBound(to: uv_timer_t.self) }

    func start(afterMs: Int64) {
        guard !isClosed else { return }
        unsafe uv_update_time(loop.raw)
        _ = unsafe uv_timer_start(
            timer,
            { raw in
                guard let data = unsafe raw?.pointee.data else { return }
                (unsafe LoopHandle.owner(data) as? TimerHandle)?.onTime?()
            }, UInt64(max(0, afterMs)), 0)
    }

    func stop() {
        guard !isClosed else { return }
        _ = unsafe uv_timer_stop(timer)
    }

    override fileprivate func forget() { onTime = nil }
}

/// Lets other threads wake the loop.
@safe
final class WakeHandle: LoopHandle {
    private var onWake: (() -> Void)?

    init(_ loop: UVLoop, _ onWake: @escaping () -> Void) throws(ServerError) {
        super.init(UV_ASYNC, loop)
        let status = unsafe uv_async_init(loop.raw, async) { raw in
            guard let data = unsafe raw?.pointee.data else { return }
            (unsafe LoopHandle.owner(data) as? WakeHandle)?.onWake?()
        }
        guard status == 0 else { throw ServerError("Could not make a wake-up handle", number: status) }
        self.onWake = onWake
        opened()
    }

    private var async: UnsafeMutablePointer<uv_async_t> { unsafe memory.assumingMemoryBound(to: uv_async_t.self) }

    /// The one call that another thread may make, as long as the handle is not closed.
    func wake() { _ = unsafe uv_async_send(async) }

    override fileprivate func forget() { onWake = nil }
}
