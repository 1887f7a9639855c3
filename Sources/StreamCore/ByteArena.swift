/// Where a string or binary lies in its arena. Eight bytes; arenas are below 4 GiB.
@frozen
public struct ByteView: Hashable, Sendable {
    public var start: UInt32
    public var length: UInt32

    @inlinable
    public init(start: Int, length: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.length = UInt32(truncatingIfNeeded: length)
    }

    /// "There is none" (a tombstone, a missing key): no view of real bytes is equal to it.
    public static var null: ByteView { ByteView(start: -1, length: 0) }
    public static var empty: ByteView { ByteView(start: 0, length: 0) }

    @inlinable public var isNull: Bool { start == .max }
    @inlinable public var end: Int { Int(start) + Int(length) }
}

/// Bytes that many views share: appended by one owner, then read by anyone.
///
/// Always followed by `padding` readable bytes, which simdjson needs.
///
/// - Important: appending moves the bytes; take no pointer across an append.
@safe
public final class ByteArena: @unchecked Sendable {
    // Safety: the pointer is owned here and freed in deinit; one owner appends, and hands the arena to another thread
    // only when it appends no more; bytes below `count` never change.
    public static let padding = 64
    public static let sizeMax = Int(UInt32.max) - 1

    // Unchecked because the one owner cannot overlap with itself (no method calls out while it holds a property), and
    // the dynamic checks were half of the cost of writing short texts.
    @safe @exclusivity(unchecked) public private(set) var count = 0
    @safe @exclusivity(unchecked) private var capacity: Int
    @exclusivity(unchecked) @usableFromInline var base: UnsafeMutableRawPointer

    public init(capacity: Int = 0) {
        self.capacity = max(64, capacity)
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: self.capacity + Self.padding, alignment: 16)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.padding)
    }

    deinit { unsafe base.deallocate() }

    /// An arena that holds a copy of these bytes.
    public convenience init(_ bytes: some Collection<UInt8>) {
        self.init(capacity: bytes.count)
        append(contentsOf: bytes)
    }

    // MARK: - Writing

    /// Bytes that are reserved, whether used or not: what the arena costs.
    public var byteSize: Int { capacity + Self.padding }

    /// Makes room for so many more bytes; beyond `sizeMax` in all it traps, so builders cut before.
    /// - Complexity: O(`count`) where the bytes must move, which doubles the capacity.
    public func reserve(_ additional: Int) {
        guard count + additional > capacity else { return }
        precondition(count + additional <= Self.sizeMax, "an arena holds less than 4 GiB; its builder must cut before")
        capacity = min(Self.sizeMax, max(capacity * 2, count + additional))
        let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity + Self.padding, alignment: 16)
        unsafe grown.copyMemory(from: base, byteCount: count)
        unsafe base.deallocate()
        unsafe base = grown
    }

    @discardableResult
    public func append(_ bytes: UnsafeRawBufferPointer) -> ByteView {
        let view = ByteView(start: count, length: bytes.count)
        guard let source = bytes.baseAddress, bytes.count > 0 else { return view }
        reserve(bytes.count)
        unsafe (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
        return view
    }

    @discardableResult
    public func append(_ bytes: RawSpan) -> ByteView {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    @discardableResult
    public func append(contentsOf bytes: some Collection<UInt8>) -> ByteView {
        if let view = bytes.withContiguousStorageIfAvailable({ unsafe append(UnsafeRawBufferPointer($0)) }) {
            return view
        }
        let start = count
        for byte in bytes { append(byte) }
        return ByteView(start: start, length: count - start)
    }

    @discardableResult
    public func append(_ text: String) -> ByteView {
        append(contentsOf: text.utf8)
    }

    @discardableResult
    public func append(_ text: Substring) -> ByteView {
        append(contentsOf: text.utf8)
    }

    public func append(_ byte: UInt8) {
        reserve(1)
        unsafe base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// Copies what `view` shows in another arena.
    @discardableResult
    public func append(_ view: ByteView, from other: ByteArena) -> ByteView {
        guard !view.isNull else { return .null }
        // First of all, because `other` may be this arena, and growing it moves the bytes.
        reserve(Int(view.length))
        return unsafe append(UnsafeRawBufferPointer(start: other.base + Int(view.start), count: Int(view.length)))
    }

    /// Lets a writer fill up to `limit` bytes in place; it returns how many it wrote.
    public func appendInPlace(limit: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) -> ByteView {
        reserve(limit)
        let written = unsafe body(UnsafeMutableRawBufferPointer(start: base + count, count: limit))
        precondition(written >= 0 && written <= limit)
        defer { count += written }
        return ByteView(start: count, length: written)
    }

    /// Forgets everything, keeps the memory. Only for an owner that knows of no view left.
    public func removeAll() { count = 0 }

    /// Takes back the bytes behind `count`: an encoder undoes a row that failed.
    public func truncate(to count: Int) {
        precondition(count <= self.count)
        self.count = count
    }

    // MARK: - Reading

    /// The bytes of a view. Valid as long as the arena is, and until the next append.
    @inlinable
    public func bytes(_ view: ByteView) -> UnsafeRawBufferPointer {
        // Safety: views are made by this arena's appends, so they lie below `count`.
        unsafe UnsafeRawBufferPointer(start: base + Int(view.start), count: Int(view.length))
    }

    /// All bytes so far; `padding` more bytes behind them may be read.
    public var allBytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

    /// A copy of a view as text; invalid UTF-8 is repaired with U+FFFD.
    public func string(_ view: ByteView) -> String {
        unsafe String(decoding: bytes(view), as: UTF8.self)
    }

    /// A copy of a view.
    public func array(_ view: ByteView) -> [UInt8] { unsafe Array(bytes(view)) }
}
