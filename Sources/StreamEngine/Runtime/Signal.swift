public import StreamCore
private import Synchronization

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#endif

/// "There is something for you": raised from any thread, consumed by one.
public final class Signal: @unchecked Sendable {
    // Safety: the pthread objects are only used through their own calls; `isRaised` is atomic.
    private let isRaised = Atomic<Bool>(false)
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    public init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Deadlines are monotonic: a changed wall clock must not stretch or end a wait.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Puts the signal up and wakes its waiter; nothing where it is up already. From any thread.
    public func raise() {
        guard !isRaised.exchange(true, ordering: .acquiringAndReleasing) else { return }
        pthread_mutex_lock(mutex)
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Takes the signal down; true if it was up.
    @discardableResult
    public func consume() -> Bool {
        isRaised.exchange(false, ordering: .acquiringAndReleasing)
    }

    /// Whether it is up, without taking it down: for schedulers that choose.
    public var isUp: Bool { isRaised.load(ordering: .acquiring) }

    /// Blocks the calling thread until the signal is up or the time has come, and takes it down.
    public func wait(until deadline: MonotonicTime) {
        if consume() { return }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var time = timespec()
        time.tv_sec = Int(deadline.nanoseconds / 1_000_000_000)
        time.tv_nsec = Int(deadline.nanoseconds % 1_000_000_000)
        while !consume() {
            if pthread_cond_timedwait(condition, mutex, &time) != 0 {
                consume()
                return
            }
        }
    }
}
