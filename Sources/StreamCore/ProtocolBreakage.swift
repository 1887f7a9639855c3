/// Deliberate breakages of the commit protocol, which show that the simulation would find them. Handed in by tests
/// alone; a query that runs has none.
package struct ProtocolBreakage: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The transaction carries outputs and state, and no positions.
    package static let offsetsNotSent = Self(rawValue: 1 << 0)
    /// Positions go one record past what the epoch has read.
    package static let offsetsPastEpoch = Self(rawValue: 1 << 1)
    /// An epoch counts as committed as soon as its commit was asked for.
    package static let commitAnsweredEarly = Self(rawValue: 1 << 2)
    /// Outputs of the next epoch go into the transaction of this one.
    package static let outputsAhead = Self(rawValue: 1 << 3)
    /// State keeps what an epoch changed that was given up.
    package static let stateNotRolledBack = Self(rawValue: 1 << 4)
    /// State is told to undo, and has forgotten what.
    package static let undoJournalLost = Self(rawValue: 1 << 5)
    /// Messages of an attempt that was given up are used.
    package static let staleAttemptUsed = Self(rawValue: 1 << 6)
    /// Splits go back while an epoch that read them is open.
    package static let splitsReleasedEarly = Self(rawValue: 1 << 7)
    /// State counts as restored when the first of its changelogs has come to its end.
    package static let restoreUnfinished = Self(rawValue: 1 << 8)
    /// A commit without an answer is repeated from memory.
    package static let indefiniteAsFailed = Self(rawValue: 1 << 9)
    /// A commit without an answer is taken for one that happened.
    package static let indefiniteAsDone = Self(rawValue: 1 << 10)
    /// Who was fenced goes on from memory, and does not ask what others have committed.
    package static let fencingIgnored = Self(rawValue: 1 << 11)
    /// A commit that is on its way when its attempt is given up may still happen.
    package static let gateNotShut = Self(rawValue: 1 << 12)
    /// The plan of an epoch that was delivered, and not committed, is cut anew.
    package static let planForgotten = Self(rawValue: 1 << 13)
    /// User output code runs before the plan of its epoch is durable.
    package static let deliveredUnplanned = Self(rawValue: 1 << 14)
    /// User output code runs when its epoch is committed.
    package static let deliveredLate = Self(rawValue: 1 << 15)
    /// A plan that is repeated is delivered without a sign that the query is still one's own.
    package static let replayUnconfirmed = Self(rawValue: 1 << 17)
    /// Who gives splits back or stops waits for the open epoch for ever.
    package static let drainUnbounded = Self(rawValue: 1 << 16)

    /// Every single one, by name.
    package static let all: [(name: String, breakage: ProtocolBreakage)] = [
        ("offsets-not-sent", .offsetsNotSent), ("offsets-past-epoch", .offsetsPastEpoch),
        ("commit-answered-early", .commitAnsweredEarly), ("outputs-ahead", .outputsAhead),
        ("state-not-rolled-back", .stateNotRolledBack), ("undo-journal-lost", .undoJournalLost),
        ("stale-attempt-used", .staleAttemptUsed), ("splits-released-early", .splitsReleasedEarly),
        ("restore-unfinished", .restoreUnfinished), ("indefinite-as-failed", .indefiniteAsFailed),
        ("indefinite-as-done", .indefiniteAsDone), ("fencing-ignored", .fencingIgnored),
        ("gate-not-shut", .gateNotShut), ("plan-forgotten", .planForgotten),
        ("delivered-unplanned", .deliveredUnplanned), ("delivered-late", .deliveredLate),
        ("drain-unbounded", .drainUnbounded), ("replay-unconfirmed", .replayUnconfirmed),
    ]
}
