public import StreamCore

/// Decides after each failure whether to go on and how soon. Pure; the time is an argument.
public struct FailurePolicy: Sendable, Hashable {
    /// What follows from a failure.
    public enum Decision: Sendable {
        /// Rebuild the writer after this pause, read the committed progress, go on.
        case rebuild(after: Duration)
        case stop(StreamError)
    }

    /// Fenced by our own identity so often within `identityWindow`: somebody else runs with it.
    public static let identityFencesMax = 3
    public static let identityWindow = Duration.seconds(60)
    /// The same cause without a commit in between (invariant 11).
    public static let sameCauseMax = 3
    public static let pauseMax = Duration.seconds(5)
    public static let hopelessPause = Duration.seconds(1)

    private var identityFences: [MonotonicTime] = []
    private var lastCode: StreamError.Code?
    private var sameCauseCount = 0
    private var failuresInRow = 0
    /// Expired epochs are halved: the part of the usual size that the next epochs may have, as a power of two.
    public private(set) var halvings = 0

    public init() {}

    /// A commit came through: what went wrong before is over.
    public mutating func committed() {
        lastCode = nil
        sameCauseCount = 0
        failuresInRow = 0
        // One step back up at a time, so that a size that never fits is not tried again at once.
        if halvings > 0 { halvings -= 1 }
    }

    /// Counts a failure and decides about it; `now` is any monotonic time that never goes back.
    public mutating func decide(_ failure: TransactionFailure, now: MonotonicTime) -> Decision {
        sameCauseCount = failure.error.code == lastCode ? sameCauseCount + 1 : 1
        lastCode = failure.error.code
        defer { failuresInRow += 1 }
        switch failure.kind {
        case .hopeless:
            // Only a person can mend it (a topic, a permission), and may do so while the service waits.
            return .rebuild(after: max(pause, Self.hopelessPause))
        case .fenced:
            if isIdentityFence(failure.error) {
                identityFences.removeAll { now - $0 > Self.identityWindow }
                identityFences.append(now)
                if identityFences.count >= Self.identityFencesMax { return .stop(failure.error) }
            }
        case .expired:
            halvings = min(halvings + 1, 20)
        case .abortable, .indefinite, .fatal:
            // A record that no broker takes will be refused again: what lies in the data does not pass by itself.
            let liesInData = failure.error.recovery == .stop || failure.refusedRecord != nil
            if liesInData, sameCauseCount >= Self.sameCauseMax { return .stop(failure.error) }
        case .unavailable:
            break
        }
        return .rebuild(after: pause)
    }

    private func isIdentityFence(_ error: StreamError) -> Bool {
        error.code == "KAFKA_PRODUCER_FENCED"
    }

    /// Nothing the first time, then 50 ms doubling up to `pauseMax`.
    private var pause: Duration {
        failuresInRow == 0 ? .zero : min(.milliseconds(50 << min(failuresInRow - 1, 10)), Self.pauseMax)
    }
}
