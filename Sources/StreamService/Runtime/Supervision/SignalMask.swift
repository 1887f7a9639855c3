private import Glibc
private import StreamCore

/// The signals that a service handles. They are blocked in every thread and taken by one that waits for them, so
/// nothing ever runs inside a signal handler.
package enum ServiceSignal: Sendable, Hashable, CaseIterable {
    /// Asks to stop: SIGTERM (systemd, `docker stop`) and SIGINT (Ctrl-C).
    case terminate, interrupt
    /// The terminal is gone, or "reload": logged, nothing else.
    case hangUp
    /// Wakes the waiting thread (SIGUSR1, sent to that thread alone).
    case wake

    package var number: Int32 {
        switch self {
        case .terminate: SIGTERM
        case .interrupt: SIGINT
        case .hangUp: SIGHUP
        case .wake: SIGUSR1
        }
    }

    package var name: String {
        switch self {
        case .terminate: "SIGTERM"
        case .interrupt: "SIGINT"
        case .hangUp: "SIGHUP"
        case .wake: "SIGUSR1"
        }
    }
}

package enum SignalMask {
    /// Blocks the service's signals in the calling thread and those it starts, and ignores SIGPIPE in the process.
    ///
    /// Call it first in `main`, before any other thread exists: a thread that does not block a signal may be given it.
    package static func block() {
        var set = waited()
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits in the calling thread, which blocks these signals, for one of them.
    /// - Returns: nil when the time is over.
    package static func wait(atMost timeout: Duration) -> ServiceSignal? {
        var set = waited()
        let nanoseconds = max(0, timeout.nanoseconds)
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        let number = sigtimedwait(&set, nil, &time)
        return ServiceSignal.allCases.first { $0.number == number }
    }

    private static func waited() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in ServiceSignal.allCases { sigaddset(&set, signal.number) }
        return set
    }
}
