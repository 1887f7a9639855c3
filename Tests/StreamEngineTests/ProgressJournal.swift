import StreamEngine
import Synchronization

/// The progress of every committed epoch of a simulated query, over all its lives.
final class ProgressJournal: Sendable {
    private let epochs = Mutex<[EpochProgress]>([])

    var all: [EpochProgress] { epochs.withLock { $0 } }
    func add(_ progress: EpochProgress) { epochs.withLock { $0.append(progress) } }
}
