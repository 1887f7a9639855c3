package import StreamCore
private import Synchronization

/// Shows how a query gets on: a status line rewritten in place on a terminal, plain lines now and then elsewhere, or
/// lines of JSON.
package final class ProgressPrinter: Sendable {
    package enum Style: Sendable, Hashable {
        /// One line, rewritten; falls back to `lines` where the screen is no terminal.
        case rewritten
        case lines
        case json
    }

    private struct State {
        var last: (snapshot: ServiceSnapshot, at: MonotonicTime)?
    }

    private let screen: TerminalScreen
    private let style: Style
    private let interval: Duration
    private let clock: any EngineClock
    private let state = Mutex(State())

    /// - Parameter interval: half a second for a rewritten line, two for others, unless told.
    package init(
        screen: TerminalScreen, style: Style, interval: Duration? = nil, clock: any EngineClock = SystemClock()
    ) {
        let chosen: Style = style == .rewritten && !screen.isTerminal ? .lines : style
        self.screen = screen
        self.style = chosen
        self.interval = interval ?? (chosen == .rewritten ? .milliseconds(500) : .seconds(2))
        self.clock = clock
    }

    /// Shows the snapshot if it is time to. The rates are those since the last line.
    package func show(_ snapshot: ServiceSnapshot) { show(snapshot, isLast: false) }

    /// Shows a last line, whatever the time, and leaves it on the screen.
    package func finish(_ snapshot: ServiceSnapshot) { show(snapshot, isLast: true) }

    private func show(_ snapshot: ServiceSnapshot, isLast: Bool) {
        let now = clock.now
        let rate = state.withLock { state -> ProgressRate? in
            guard let last = state.last else {
                state.last = (snapshot, now)
                return isLast ? ProgressRate(from: snapshot, to: snapshot, over: .zero) : nil
            }
            guard isLast || now - last.at >= interval else { return nil }
            state.last = (snapshot, now)
            return ProgressRate(from: last.snapshot, to: snapshot, over: now - last.at)
        }
        guard let rate else { return }
        switch style {
        case .rewritten where !isLast:
            screen.show(status: ProgressLine.fitted(ProgressLine.text(snapshot, rate), width: screen.width))
        case .rewritten, .lines:
            screen.show(status: "")
            screen.show(line: ProgressLine.text(snapshot, rate))
        case .json:
            screen.show(line: ProgressLine.json(snapshot, rate, wallMs: clock.wallMilliseconds))
        }
    }
}
