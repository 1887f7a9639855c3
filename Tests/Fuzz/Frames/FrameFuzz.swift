/// The cutting of a connection's bytes into frames, and the joining of answers into one, under libFuzzer.
///
/// An input is a number of steps, so many bytes that say how much moves at each step, and the client's bytes. Each
/// frame is its own answer. What goes back must be what a cutter that sees all bytes at once makes of them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFrames(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let stepCount = input.first else { return 0 }
    var connection = FuzzedConnection(steps: Array(input.dropFirst().prefix(Int(stepCount))))
    let stream = Array(input.dropFirst(1 + Int(stepCount)))
    let (frames, isDamaged) = expected(stream)
    connection.run(stream)
    precondition(connection.sent == frames.flatMap { framed($0) }, "the frames' bytes have changed")
    precondition(connection.isDamaged == isDamaged, "damage was not seen, or seen where there is none")
    return 0
}

private let frameBytesMax = 1 << 20

private func framed(_ body: [UInt8]) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (24 - 8 * $0)) } + body
}

/// The frames up to the first whose length is wrong.
private func expected(_ stream: [UInt8]) -> (frames: [[UInt8]], isDamaged: Bool) {
    var frames: [[UInt8]] = []
    var rest = stream[...]
    while rest.count >= 4 {
        let length = Int(Int32(bitPattern: rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }))
        guard length > 0, length <= frameBytesMax else { return (frames, true) }
        guard rest.count - 4 >= length else { break }
        frames.append(Array(rest.dropFirst(4).prefix(length)))
        rest = rest.dropFirst(4 + length)
    }
    return (frames, false)
}

/// A connection between the socket and the broker, as the server's loop works on it.
private struct FuzzedConnection {
    private let steps: [UInt8]
    private var step = 0
    private var frames = FrameBuffer(frameBytesMax: frameBytesMax)
    private var slots = SlotQueue<ResponseBytes?>(capacity: 8)
    private var outgoing = OutgoingQueue()
    private var open: [(sequence: UInt64, body: [UInt8])] = []
    private(set) var sent: [UInt8] = []
    private(set) var isDamaged = false

    init(steps: [UInt8]) { self.steps = steps.isEmpty ? [1] : steps }

    private mutating func next() -> Int {
        defer { step += 1 }
        return Int(steps[step % steps.count])
    }

    mutating func run(_ stream: [UInt8]) {
        var at = 0
        while at < stream.count, !isDamaged {
            let size = min(next() + 1, stream.count - at)
            if frames.missing > 0, size % 2 == 0 {
                at += receive(stream[at..<(at + size)])
            } else {
                cut(stream, at..<(at + size))
                at += size
            }
            precondition(frames.count <= at, "more bytes are held than came")
            if next() % 3 == 0 { answer() }
            send(next())
        }
        while !open.isEmpty { answer() }
        while !outgoing.isEmpty { send(255) }
    }

    /// As where the rest of a large frame is read to where it will lie.
    private mutating func receive(_ bytes: ArraySlice<UInt8>) -> Int {
        var taken = 0
        frames.receive { span in
            for byte in bytes where span.freeCapacity > 0 {
                span.append(byte)
                taken += 1
            }
        }
        if let frame = frames.takeIfComplete() { hand(on: frame) }
        return taken
    }

    private mutating func cut(_ stream: [UInt8], _ bytes: Range<Int>) {
        var range = bytes
        do throws(FramingError) {
            while !range.isEmpty {
                guard let frame = try frames.next(in: stream, &range, nowMs: 0) else { break }
                hand(on: frame)
            }
        } catch {
            isDamaged = true
        }
    }

    private mutating func hand(on frame: [UInt8]) {
        while slots.isFull { answer() }
        guard let sequence = slots.open() else { preconditionFailure("there is no slot for a frame") }
        open.append((sequence, frame))
    }

    /// Answers one of the open questions, in pieces, and takes what is in order by now.
    private mutating func answer() {
        guard !open.isEmpty else { return }
        let (sequence, body) = open.remove(at: next() % open.count)
        let middle = body.count / 2
        var response = ResponseBytes()
        response.append(body[..<middle])
        response.append(body[middle...])
        precondition(slots.fill(sequence, with: response), "an open slot was not filled")
        precondition(!slots.fill(sequence, with: response), "a slot was filled twice")
        while let next = slots.next() {
            guard let next else { continue }
            precondition(outgoing.append(next), "an answer was refused")
        }
    }

    private mutating func send(_ count: Int) {
        var left = count
        for piece in outgoing.front(piecesMax: 3) {
            let part = piece.prefix(left)
            sent += part
            left -= part.count
        }
        outgoing.remove(count - left)
    }
}
