import CUV

/// What other threads ask a loop for, and what they learn from it.
@safe
final class LoopControl: @unchecked Sendable {
    // Safety: everything mutable is read and written under `mutex`; the C objects stay in place until deinit.
    private let mutex = UnsafeMutablePointer<uv_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<uv_cond_t>.allocate(capacity: 1)

    private enum Phase {
        case starting
        case working([ListenAddress])
        case ended((any Error)?)
    }

    struct Requests {
        var jobs: [@Sendable (any FrameHandler) -> Void] = []
        /// How long a loop that is to stop may still send.
        var stopWithinMs: Int64?
    }

    private var requests = Requests()
    private var phase = Phase.starting
    private var wake: WakeHandle?

    init() {
        let hasMutex = unsafe uv_mutex_init(mutex)
        let hasCondition = unsafe uv_cond_init(changed)
        precondition(hasMutex == 0 && hasCondition == 0, "the system has no memory for a lock")
    }

    deinit {
        unsafe uv_cond_destroy(changed)
        unsafe uv_mutex_destroy(mutex)
        unsafe changed.deallocate()
        unsafe mutex.deallocate()
    }

    /// Hands a job to the loop's thread; dropped when the loop has ended.
    func submit(_ job: @escaping @Sendable (any FrameHandler) -> Void) {
        locked {
            if case .ended = phase { return }
            requests.jobs.append(job)
            wake?.wake()
        }
    }

    func stop(withinMs: Int64) {
        locked {
            requests.stopWithinMs = min(requests.stopWithinMs ?? .max, max(0, withinMs))
            wake?.wake()
        }
    }

    /// Waits until the loop works.
    /// - Throws: why it does not.
    func waitForStart() throws -> [ListenAddress] {
        let outcome = locked {
            while case .starting = phase { unsafe uv_cond_wait(changed, mutex) }
            return phase
        }
        switch outcome {
        case .working(let addresses): return addresses
        case .ended(let error?): throw error
        case .starting, .ended(nil): return []
        }
    }

    /// - Returns: whether the loop has ended in time.
    func waitForEnd(withinMs: Int64) -> Bool {
        let end = uv_hrtime() &+ UInt64(clamping: min(withinMs, 1 << 40)) &* 1_000_000
        return locked {
            while true {
                if case .ended = phase { return true }
                let now = uv_hrtime()
                guard now < end else { return false }
                unsafe uv_cond_timedwait(changed, mutex, end &- now)
            }
        }
    }

    // MARK: - For the loop's thread

    func takeRequests() -> Requests {
        locked {
            defer { requests = Requests() }
            return requests
        }
    }

    /// From now on the loop is woken for requests; what was asked before is there for it to take.
    func began(_ handle: WakeHandle?, _ addresses: [ListenAddress]) {
        locked {
            wake = handle
            phase = .working(addresses)
            handle?.wake()
            unsafe uv_cond_broadcast(changed)
        }
    }

    /// No wake-up comes after this, so that its handle may be closed.
    func detach() {
        locked { wake = nil }
    }

    func ended(_ error: (any Error)?) {
        locked {
            phase = .ended(error)
            requests = Requests()
            unsafe uv_cond_broadcast(changed)
        }
    }

    private func locked<R>(_ body: () -> R) -> R {
        unsafe uv_mutex_lock(mutex)
        defer { unsafe uv_mutex_unlock(mutex) }
        return body()
    }
}
