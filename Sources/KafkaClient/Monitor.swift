import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A lock and a condition: for the threads that may block. Swift's `Mutex` has no way to wait for a change.
@safe
final class Monitor: @unchecked Sendable {
    // Safety: the C objects live at fixed addresses until deinit, and are made for use by many threads.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(changed, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe pthread_mutex_destroy(mutex)
        unsafe changed.deallocate()
        unsafe mutex.deallocate()
    }

    func locked<R>(_ body: () -> R) -> R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Wakes all that wait. Inside `locked`.
    func broadcast() { unsafe pthread_cond_broadcast(changed) }

    /// Gives the lock up until a broadcast, the deadline, or no reason at all. Inside `locked`.
    func wait(until deadline: MonotonicTime) {
        let at = max(0, deadline.nanoseconds)
        var time = timespec(tv_sec: Int(at / 1_000_000_000), tv_nsec: Int(at % 1_000_000_000))
        _ = unsafe pthread_cond_timedwait(changed, mutex, &time)
    }

    /// Waits inside `locked` until `condition` holds.
    /// - Returns: whether it did before the deadline.
    func wait(until deadline: MonotonicTime, for condition: () -> Bool) -> Bool {
        while !condition() {
            if SystemClock().now >= deadline { return false }
            wait(until: deadline)
        }
        return true
    }
}
