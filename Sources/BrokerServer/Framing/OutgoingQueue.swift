/// A connection's bytes that wait for its socket. Small pieces are joined, so that many answers make one call.
struct OutgoingQueue {
    private static let joinedBelow = 4_096
    private static let joinedMax = 65_536

    private var pieces: [ArraySlice<UInt8>] = []
    private var head = 0
    /// Small pieces that come after `pieces`.
    private var tail: [UInt8] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Adds a frame: its length and its body.
    /// - Returns: false where the body is longer than a frame can be; nothing is added then.
    mutating func append(_ response: ResponseBytes) -> Bool {
        guard let length = Int32(exactly: response.count) else { return false }
        appendLength(length)
        for piece in response.pieces { append(piece) }
        return true
    }

    /// Shows up to `piecesMax` pieces from the front.
    mutating func front(piecesMax: Int) -> ArraySlice<ArraySlice<UInt8>> {
        seal()
        return pieces[head..<min(pieces.count, head &+ piecesMax)]
    }

    /// Forgets bytes at the front that were sent.
    mutating func remove(_ sent: Int) {
        count &-= sent
        var left = sent
        while left > 0, head < pieces.count {
            let size = pieces[head].count
            guard left >= size else {
                pieces[head] = pieces[head].dropFirst(left)
                break
            }
            left &-= size
            pieces[head] = []
            head &+= 1
        }
        if head == pieces.count {
            pieces.removeAll(keepingCapacity: pieces.count <= 1_024)
            head = 0
        } else if head >= 1_024 {
            pieces.removeFirst(head)
            head = 0
        }
    }

    private mutating func appendLength(_ length: Int32) {
        let bits = UInt32(bitPattern: length)
        tail.append(UInt8(truncatingIfNeeded: bits >> 24))
        tail.append(UInt8(truncatingIfNeeded: bits >> 16))
        tail.append(UInt8(truncatingIfNeeded: bits >> 8))
        tail.append(UInt8(truncatingIfNeeded: bits))
        count &+= 4
    }

    private mutating func append(_ piece: ArraySlice<UInt8>) {
        count &+= piece.count
        if piece.count < Self.joinedBelow {
            tail.append(contentsOf: piece)
            if tail.count >= Self.joinedMax { seal() }
        } else {
            seal()
            pieces.append(piece)
        }
    }

    private mutating func seal() {
        guard !tail.isEmpty else { return }
        pieces.append(tail[...])
        tail = []
    }
}
