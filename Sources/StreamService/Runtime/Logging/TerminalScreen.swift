private import Glibc
private import Synchronization

/// One file descriptor that shows lines and, below them, a status line that is rewritten in place.
///
/// Logs and the progress display share one, so that neither tears the other. Any thread may write.
package final class TerminalScreen: Sendable {
    private struct State {
        var status = ""
        var failed = false
    }

    private let write: @Sendable ([UInt8]) -> Bool
    private let state = Mutex(State())
    /// True where escape sequences are understood.
    package let isTerminal: Bool
    /// Columns, where known.
    package let width: Int

    /// - Parameter write: gives false when nothing can be written any more; lines are then dropped.
    package init(isTerminal: Bool, width: Int = 80, write: @escaping @Sendable ([UInt8]) -> Bool) {
        self.isTerminal = isTerminal
        self.width = width
        self.write = write
    }

    /// Standard error (2) or standard output (1).
    package convenience init(descriptor: Int32) {
        let isTerminal = isatty(descriptor) == 1
        var size = winsize()
        let known = isTerminal && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        self.init(isTerminal: isTerminal, width: known ? Int(size.ws_col) : 80) { bytes in
            Self.writeAll(bytes, to: descriptor)
        }
    }

    /// Shows a line above the status line.
    package func show(line: String) {
        state.withLock { state in
            emit(clear(state) + line + "\n" + state.status, &state)
        }
    }

    /// Puts another text in the status line; empty takes it away. Without a terminal nothing happens.
    package func show(status: String) {
        guard isTerminal else { return }
        state.withLock { state in
            let before = clear(state)
            state.status = status
            emit(before + status, &state)
        }
    }

    private func clear(_ state: State) -> String { state.status.isEmpty ? "" : "\r\u{1B}[2K" }

    private func emit(_ text: String, _ state: inout State) {
        // A reader that is gone (a closed pipe) must not stop the work: the display ends, the query goes on.
        if !state.failed { state.failed = !write(Array(text.utf8)) }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let written = Glibc.write(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
                if written > 0 {
                    done += written
                } else if written < 0, errno == EINTR {
                    continue
                } else {
                    // A full pipe (EAGAIN) drops the rest of this line only.
                    return written < 0 && errno == EAGAIN
                }
            }
            return true
        }
    }
}
