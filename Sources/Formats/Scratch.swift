internal import StreamCore

/// Bytes that a renderer writes by the column: grows, is reused from batch to batch, and moves when it grows.
@safe
final class Scratch {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    /// Copies move whole blocks of so many bytes: as many may be read and written behind the end.
    static let slack = 32

    init() {
        capacity = 256
        unsafe base = .allocate(capacity: 256 + Self.slack)
        unsafe base.initialize(repeating: 0, count: 256 + Self.slack)
    }

    deinit { unsafe base.deallocate() }

    func removeAll() { count = 0 }

    /// Where the next `limit` bytes may be written; `commit` says how many were.
    func room(_ limit: Int) -> UnsafeMutablePointer<UInt8> {
        if count + limit > capacity {
            capacity = max(capacity * 2, count + limit)
            let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + Self.slack)
            unsafe grown.initialize(from: base, count: count)
            unsafe base.deallocate()
            unsafe base = grown
        }
        return unsafe base + count
    }

    func commit(_ written: Int) -> Piece {
        defer { count += written }
        return Piece(scratch: count, length: written)
    }

    /// Lets `body` write up to `limit` bytes; it returns how many it wrote.
    func write(_ limit: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int) -> Piece {
        unsafe commit(body(room(limit)))
    }

    func write(_ text: String) -> Piece {
        var text = text
        return text.withUTF8 { bytes in
            unsafe write(bytes.count) { target in
                if let source = bytes.baseAddress { unsafe target.update(from: source, count: bytes.count) }
                return bytes.count
            }
        }
    }
}

/// The rendered text of one value: in the column's own arena where it needs no change, else in the scratch.
struct Piece: BitwiseCopyable {
    /// Place in the arena, or the complement of the place in the scratch.
    var start: Int
    /// -1: the value is null.
    var length: Int

    init(arena start: Int, length: Int) {
        self.start = start
        self.length = length
    }

    init(scratch start: Int, length: Int) {
        self.start = ~start
        self.length = length
    }

    static var null: Piece { Piece(arena: 0, length: -1) }
    var isNull: Bool { length < 0 }
}

/// The rendered texts of a column's rows, in the order of the rows asked for.
@safe
final class Pieces {
    private(set) var items: UnsafeMutablePointer<Piece>
    let count: Int
    let scratch: Scratch
    /// Strings and what is written as one.
    var isQuoted = false
    /// Where the pieces lie that are not in the scratch.
    var arena: ByteArena?

    init(count: Int, scratch: Scratch = Scratch()) {
        self.count = count
        self.scratch = scratch
        unsafe items = .allocate(capacity: max(count, 1))
        unsafe items.initialize(repeating: .null, count: max(count, 1))
    }

    deinit { unsafe items.deallocate() }

    subscript(index: Int) -> Piece {
        get { unsafe items[index] }
        set { unsafe items[index] = newValue }
    }

    /// Valid until the arena or the scratch is written to.
    func address(_ piece: Piece) -> UnsafePointer<UInt8> {
        if piece.start < 0 { return unsafe UnsafePointer(scratch.base + ~piece.start) }
        guard let source = unsafe arena?.bytePointer else { preconditionFailure("pieces of an arena know its bytes") }
        return unsafe source + piece.start
    }

    /// How many bytes all texts have together, quotes included.
    var byteCount: Int {
        var sum = 0
        for index in 0..<count { sum += max(self[index].length, 0) }
        return sum + (isQuoted ? 2 * count : 0)
    }
}

/// Copies `length` bytes, in blocks for short ones: up to `Scratch.slack` bytes behind both ends are touched.
@inline(__always)
func copyShort(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ length: Int) {
    if length <= 32 {
        // Safety: arenas, scratches and outputs all have that slack.
        let block = unsafe UnsafeRawPointer(source).loadUnaligned(as: SIMD32<UInt8>.self)
        unsafe UnsafeMutableRawPointer(target).storeBytes(of: block, as: SIMD32<UInt8>.self)
    } else {
        unsafe target.update(from: source, count: length)
    }
}
