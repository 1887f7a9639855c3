/// Why a connection's bytes cannot be cut into frames any further.
enum FramingError: Error, Hashable {
    /// A frame's length that is zero or negative.
    case lengthInvalid(Int32)
    case tooLarge(Int32, max: Int)
}

/// Cuts a connection's bytes into frames: four bytes of length, the most significant first, and so many bytes.
///
/// Memory grows with the bytes that came, never with the length that was claimed.
struct FrameBuffer {
    private let frameBytesMax: Int
    private var header: UInt32 = 0
    private var headerCount = 0
    private var body: [UInt8] = []
    /// How long the frame is whose header is complete; nil between frames and within a header.
    private var length: Int?
    private(set) var startedMs: Int64?

    init(frameBytesMax: Int) {
        self.frameBytesMax = min(frameBytesMax, Int(Int32.max))
    }

    /// Bytes of the unfinished frame that are here.
    var count: Int { headerCount &+ body.count }
    var isEmpty: Bool { headerCount == 0 }
    /// What the unfinished frame's body lacks.
    var missing: Int { length.map { $0 &- body.count } ?? 0 }

    /// When the unfinished frame is given up: each 64 KiB that came buy another second, so that a slow line may send
    /// a large frame while a client that sends single bytes has no more than the limit.
    func deadline(limitMs: Int64) -> Int64? {
        startedMs.map { $0 &+ limitMs &+ Int64(count / 65_536) &* 1_000 }
    }

    /// Time in which we did not read is not held against the client.
    mutating func pardon(_ pausedMs: Int64) {
        startedMs = startedMs.map { $0 &+ pausedMs }
    }

    /// Takes bytes from the front of `range` up to a frame's end.
    /// - Returns: the frame's body, or nil when all bytes were taken and the frame is unfinished.
    mutating func next(in input: [UInt8], _ range: inout Range<Int>, nowMs: Int64) throws(FramingError) -> [UInt8]? {
        while length == nil {
            guard let byte = range.popFirst() else { return nil }
            if headerCount == 0 { startedMs = nowMs }
            header = header << 8 | UInt32(input[byte])
            headerCount &+= 1
            if headerCount == 4 { length = try checked(Int32(bitPattern: header)) }
        }
        let taken = min(missing, range.count)
        let part = input[range.lowerBound..<range.lowerBound &+ taken]
        range = range.lowerBound &+ taken..<range.upperBound
        if body.isEmpty && taken == length {
            body = Array(part)
        } else if taken > 0 {
            reserve(taken)
            body.append(contentsOf: part)
        }
        return takeIfComplete()
    }

    /// Lets `read` write behind the bytes of the unfinished frame, so that those of a large one are copied once.
    mutating func receive(_ read: (inout OutputSpan<UInt8>) -> Void) {
        reserve(1)
        body.append(addingCapacity: min(missing, body.capacity &- body.count), initializingWith: read)
    }

    /// - Returns: the frame's body if its last byte is here; the next frame begins then.
    mutating func takeIfComplete() -> [UInt8]? {
        guard missing == 0, length != nil else { return nil }
        defer {
            body = []
            length = nil
            header = 0
            headerCount = 0
            startedMs = nil
        }
        return body
    }

    private func checked(_ length: Int32) throws(FramingError) -> Int {
        guard length > 0 else { throw .lengthInvalid(length) }
        guard Int(length) <= frameBytesMax else { throw .tooLarge(length, max: frameBytesMax) }
        return Int(length)
    }

    /// Room for `more` bytes at least, for four times what is here at most.
    private mutating func reserve(_ more: Int) {
        let needed = body.count &+ more
        guard needed > body.capacity, let length else { return }
        body.reserveCapacity(min(length, max(needed &* 4, 4_096)))
    }
}
