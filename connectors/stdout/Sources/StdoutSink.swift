public import ConnectorKit
public import StreamCore

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#endif

/// Lines on standard output. Nothing is kept back: when `write` returns, the block's lines are with the system.
public final class StdoutSink: Sink {
    private let showsKey: Bool
    private let output: ([UInt8]) throws -> Void
    private var buffer: [UInt8] = []

    /// - Parameter output: takes all bytes it is given, or throws.
    public init(
        showsKey: Bool = false, output: @escaping ([UInt8]) throws -> Void = { try StdoutSink.writeAll($0, to: 1) }
    ) {
        self.showsKey = showsKey
        self.output = output
    }

    public var delivery: Delivery { .none }

    public func write(_ block: RecordBlock) throws {
        buffer.removeAll(keepingCapacity: true)
        for slot in block.slots {
            if showsKey {
                append(slot.key, of: block)
                buffer.append(UInt8(ascii: "\t"))
            }
            append(slot.value, of: block)
            buffer.append(UInt8(ascii: "\n"))
            if buffer.count >= 1 << 16 { try flush() }
        }
        try flush()
    }

    public func close(within: Duration) throws {}

    private func append(_ view: ByteView, of block: RecordBlock) {
        if view.isNull { buffer += "null".utf8 } else { buffer += block.arena.bytes(view) }
    }

    private func flush() throws {
        guard !buffer.isEmpty else { return }
        // Emptied first: after an error nothing of it is written a second time.
        let bytes = buffer
        buffer.removeAll(keepingCapacity: true)
        try output(bytes)
    }

    /// Writes everything to a file descriptor, waiting where it is slow.
    /// - Throws: `StreamError` `STDOUT_CLOSED`, `STDOUT_FAILED`
    public static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { writeBytes(descriptor, $0) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&state, 1, 1000)
            case EPIPE:
                throw StreamError(
                    "STDOUT_CLOSED", "Could not write to standard output: its reader went away.", domain: .external)
            default:
                throw StreamError(
                    "STDOUT_FAILED", "Could not write to standard output: \(String(cString: strerror(errno))).",
                    domain: .external)
            }
        }
    }
}

/// `write(2)`, under a name that the sink's own does not hide.
private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
