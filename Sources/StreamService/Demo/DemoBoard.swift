import StreamCore
import Synchronization

/// What goes in and what comes out of a demo, as its threads saw it: counters, and a few samples that are shown once a
/// second. Any thread may use it.
final class DemoBoard: Sendable {
    /// What a record is to the demo.
    enum Kind: String, CaseIterable {
        case input = "in "
        case output = "out"
        case deadLetter = "bad"

        /// Samples a second.
        var samplesMax: Int { self == .output ? 2 : 1 }
    }

    struct Counts: Sendable, Hashable {
        var generated: UInt64 = 0
        /// By the read_committed reader.
        var output: UInt64 = 0
        var deadLettered: UInt64 = 0
    }

    private struct State {
        var counts = Counts()
        var samples: [Kind: [String]] = [:]
        var nextShow: MonotonicTime?
    }

    /// Elsewhere than on a terminal a line may be longer than a narrow window.
    private static let plainWidth = 120

    private let screen: TerminalScreen
    private let state = Mutex(State())

    init(screen: TerminalScreen) { self.screen = screen }

    var counts: Counts { state.withLock { $0.counts } }

    func add(_ count: Int, _ kind: Kind) {
        let count = UInt64(clamping: count)
        state.withLock { state in
            switch kind {
            case .input: state.counts.generated &+= count
            case .output: state.counts.output &+= count
            case .deadLetter: state.counts.deadLettered &+= count
            }
        }
    }

    /// Whether a sample would still be shown this second.
    func wants(_ kind: Kind) -> Bool { state.withLock { $0.samples[kind, default: []].count < kind.samplesMax } }

    func sample(_ text: String, _ kind: Kind) {
        let width = screen.isTerminal ? screen.width : Self.plainWidth
        let line = ProgressLine.fitted("  \(kind.rawValue)  \(LogText.singleLine(text))", width: width)
        state.withLock { state in
            guard state.samples[kind, default: []].count < kind.samplesMax else { return }
            state.samples[kind, default: []].append(line)
        }
    }

    /// Shows the samples once a second: first what went in, then what came out.
    func showSamples(_ now: MonotonicTime) {
        let lines = state.withLock { state -> [String] in
            guard let next = state.nextShow, now >= next else {
                state.nextShow = state.nextShow ?? now + .seconds(1)
                return []
            }
            state.nextShow = now + .seconds(1)
            defer { state.samples = [:] }
            return Kind.allCases.flatMap { state.samples[$0] ?? [] }
        }
        for line in lines { screen.show(line: line) }
    }
}
