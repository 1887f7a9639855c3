package import StreamCore

/// How a query is at one moment: what `/metrics`, `/status`, the progress display and systemd's status line show.
///
/// A value: the engine fills one in on demand. Counters count since the process began.
package struct ServiceSnapshot: Sendable, Hashable {
    package var query: QueryName
    /// The instance's stable identity; empty before it has one.
    package var instance = ""
    package var state = QueryState.starting
    /// The newest epoch that is committed; nil before the first.
    package var epoch: Epoch?
    package var attempt: Attempt = 0
    package var records = RecordCounters()
    package var epochs = EpochCounters()
    package var splits: [SplitStatus] = []
    /// Of the newest committed epoch.
    package var lastPhases: EpochPhases?
    package var epochDurations = DurationHistogram()
    package var memory = MemoryUse()
    /// How often the query went back to its committed progress after trouble.
    package var restarts: UInt64 = 0
    /// Offsets skipped because their records were deleted before they were read (`on-data-loss: continue`).
    package var lostOffsets: UInt64 = 0
    package var lastError: ErrorNote?

    package init(query: QueryName) { self.query = query }

    /// Records behind, over the splits whose end is known; nil where none is.
    package var lag: Int64? {
        let known = splits.compactMap(\.lag)
        return known.isEmpty ? nil : known.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
    }
}

/// The life of a query, as `/status` and `millrace_query_state` name it.
package enum QueryState: String, Sendable, Hashable, CaseIterable {
    case starting
    /// Waits for the group to hand out splits, or for a broker.
    case joining
    /// Reads the committed progress, or waits for a pending transaction to end.
    case recovering
    case running
    /// Healthy, but another instance owns the query; takes over when that one goes.
    case standby
    /// Trouble: went back to the committed progress and tries again.
    case retrying
    case draining
    case stopped
    case failed

    /// Joined, recovered and committing, or warm beside an instance that is.
    package var isReady: Bool { self == .running || self == .standby }
}

/// What became of every record. At each commit `read = emittedFrom + filtered + late + deadLettered + skipped`.
package struct RecordCounters: Sendable, Hashable {
    package var read: UInt64 = 0
    /// Input records that led to at least one output record, or to a change of state.
    package var emittedFrom: UInt64 = 0
    package var filtered: UInt64 = 0
    package var late: UInt64 = 0
    package var deadLettered: UInt64 = 0
    package var skipped: UInt64 = 0
    /// Output records written; one input record may lead to several.
    package var output: UInt64 = 0
    package var bytesIn: UInt64 = 0
    package var bytesOut: UInt64 = 0

    package init() {}
}

package struct EpochCounters: Sendable, Hashable {
    package var committed: UInt64 = 0
    /// By reason: `fenced`, `expired`, `indefinite`, `revoked`, … in lower case.
    package var dropped: [String: UInt64] = [:]

    package init() {}

    package var droppedTotal: UInt64 { dropped.values.reduce(0, &+) }
}

package struct SplitStatus: Sendable, Hashable {
    package var split: Split
    /// The next to read after the newest commit.
    package var position: Position
    /// The end (last stable offset); nil before it was asked for.
    package var end: Position?

    package init(_ split: Split, position: Position, end: Position?) {
        self.split = split
        self.position = position
        self.end = end
    }

    package var lag: Int64? { end.map { position.distance(to: $0) } }
}

/// How long an epoch took, by phase. Phases of neighbouring epochs overlap.
package struct EpochPhases: Sendable, Hashable {
    package var poll: Duration
    package var compute: Duration
    /// Nil where it is part of the commit.
    package var produce: Duration?
    package var commit: Duration

    package init(poll: Duration, compute: Duration, produce: Duration?, commit: Duration) {
        self.poll = poll
        self.compute = compute
        self.produce = produce
        self.commit = commit
    }

    package var named: [(name: String, duration: Duration)] {
        let phases: [(String, Duration?)] = [
            ("poll", poll), ("compute", compute), ("produce", produce), ("commit", commit),
        ]
        return phases.compactMap { name, duration in duration.map { (name, $0) } }
    }
}

/// Bytes of the query's own budget; what the process takes from the system is in `ProcessReport`.
package struct MemoryUse: Sendable, Hashable {
    package var usedBytes: Int
    package var budgetBytes: Int

    package init(usedBytes: Int = 0, budgetBytes: Int = 0) {
        self.usedBytes = usedBytes
        self.budgetBytes = budgetBytes
    }
}

package struct ErrorNote: Sendable, Hashable {
    package var code: String
    /// For people; never a payload, a key or a secret.
    package var message: String
    /// Milliseconds since 1970-01-01 UTC.
    package var atMs: Int64

    package init(code: String, message: String, atMs: Int64) {
        self.code = code
        self.message = message
        self.atMs = atMs
    }
}

/// Gives the newest snapshot. Called from the HTTP server's thread and the supervisor's: it must not wait for a loop.
package typealias StatusSource = @Sendable () -> ServiceSnapshot
