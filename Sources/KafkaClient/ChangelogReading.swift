import CommitProtocol
import StreamCore

/// The first position of a partition and the one behind its last record, committed or not.
struct SplitBounds: Sendable, Hashable {
    var low: Position
    var high: Position
}

/// How far a reading of changelogs is, and what follows from what is learned: the decisions of `KafkaChangelog`,
/// without I/O.
struct ChangelogReading {
    let mode: ChangelogMode
    private let asked: [Split: Position]
    private var parts: [Split: Part] = [:]

    /// A partition that is being read.
    private struct Part {
        /// Where `toEnd` goes to.
        var end: Position
        /// An end of what is committed, short of `end`.
        var waitsAt: Position?
        var wasWaiting = false
        /// To be examined; asked once.
        var isDoubtful = false
    }

    /// What is to be done, and said.
    struct Outcome {
        var open: [Split: Position] = [:]
        var release: Set<Split> = []
        var events: [ChangelogEvent] = []
    }

    init(_ positions: [Split: Position], _ mode: ChangelogMode) {
        asked = positions
        self.mode = mode
    }

    /// The partitions that are not done.
    var splits: Set<Split> { Set(parts.keys) }

    /// The partitions' ends are known: reading begins.
    mutating func begin(_ bounds: [Split: SplitBounds]) -> Outcome {
        var outcome = Outcome(events: [.began(ends: bounds.mapValues(\.high))])
        for (split, position) in asked.sorted(by: { $0.key < $1.key }) {
            guard let found = bounds[split] else { continue }
            let start = max(position, found.low)
            if start > found.high {
                outcome.events.append(.positionLost(split))
            } else if mode == .toEnd, start == found.high {
                outcome.events.append(.reachedEnd(split, start))
            } else {
                parts[split] = Part(end: found.high)
                outcome.open[split] = start
            }
        }
        return outcome
    }

    /// Records up to these positions were handed out: a partition may end with one, without a marker behind it.
    mutating func advance(_ position: (Split) -> Position?) -> Outcome {
        guard mode == .toEnd else { return Outcome() }
        var outcome = Outcome()
        for (split, part) in parts {
            if let reached = position(split), reached >= part.end { finish(split, reached, &outcome) }
        }
        return outcome
    }

    /// All that is committed now was handed out.
    mutating func reachEnd(_ split: Split, _ position: Position) -> Outcome {
        var outcome = Outcome()
        guard let part = parts[split] else { return outcome }
        if mode == .follow {
            outcome.events.append(.reachedEnd(split, position))
        } else if position >= part.end {
            finish(split, position, &outcome)
        } else {
            parts[split]?.waitsAt = position
            parts[split]?.wasWaiting = false
        }
        return outcome
    }

    /// Something is wrong with these partitions.
    /// - Returns: those to `examine` that are not being examined, to be read again from where they are if nothing is.
    mutating func doubt(_ splits: Set<Split>) -> Set<Split> {
        var new: Set<Split> = []
        for split in splits {
            guard let part = parts[split] else { continue }
            if !part.isDoubtful { new.insert(split) }
            parts[split]?.isDoubtful = true
            // Whatever it waited for: it is read again.
            parts[split]?.waitsAt = nil
        }
        return new
    }

    /// What a second look at partitions shows, whose positions were refused or which come to no end.
    /// - Parameter next: how far each was read.
    mutating func examine(_ bounds: [Split: SplitBounds], next: (Split) -> Position?) -> Outcome {
        var outcome = Outcome()
        for (split, found) in bounds.sorted(by: { $0.key < $1.key }) {
            guard let part = parts[split], let position = next(split) else { continue }
            parts[split]?.isDoubtful = false
            // Less than there was: the topic was made anew.
            let isAnother = mode == .toEnd && found.high < part.end
            if position < found.low || position > found.high || isAnother {
                parts[split] = nil
                outcome.release.insert(split)
                outcome.events.append(.positionLost(split))
            } else if part.waitsAt == position {
                outcome.events.append(.trouble(Self.waiting(split, position)))
            } else {
                outcome.open[split] = position
            }
        }
        return outcome
    }

    /// The partitions that have waited for the end of a transaction since the last call.
    mutating func takeStalled(next: (Split) -> Position?) -> Set<Split> {
        var stalled: Set<Split> = []
        for (split, part) in parts {
            guard let waitsAt = part.waitsAt, next(split) == waitsAt, !part.isDoubtful else { continue }
            if part.wasWaiting { stalled.insert(split) }
            parts[split]?.isDoubtful = part.wasWaiting
            parts[split]?.wasWaiting = true
        }
        return stalled
    }

    private mutating func finish(_ split: Split, _ position: Position, _ outcome: inout Outcome) {
        parts[split] = nil
        outcome.release.insert(split)
        outcome.events.append(.reachedEnd(split, position))
    }

    private static func waiting(_ split: Split, _ position: Position) -> StreamError {
        StreamError(
            "CHANGELOG_WAITS",
            "State of topic \(split.topic) partition \(split.partition) is restored up to \(position): a transaction "
                + "is still open there.",
            remedy: "It ends by itself when its time-out is over. If it hangs, find it with 'kafka-transactions.sh "
                + "find-hanging' and abort it.",
            domain: .external, recovery: .retry, place: StreamError.Place(split: split))
    }
}
