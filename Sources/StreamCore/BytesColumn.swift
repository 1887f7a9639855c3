/// A column of strings (valid UTF-8) or binaries: views into one shared arena, so that filters, substrings and
/// projections copy no bytes.
public struct BytesColumn: Sendable {
    public var arena: ByteArena
    /// `.empty` at null rows.
    public var views: [ByteView]
    public var nulls: Bitmap?

    @inlinable
    public init(arena: ByteArena, views: [ByteView], nulls: Bitmap? = nil) {
        self.arena = arena
        self.views = views
        self.nulls = nulls
    }

    /// Whether a row is null.
    @inlinable public var count: Int { views.count }
    @inlinable public func isNull(_ row: Int) -> Bool { nulls.map { $0[row] } ?? false }

    /// The bytes of a row; empty for null.
    @inlinable public func bytes(_ row: Int) -> UnsafeRawBufferPointer { unsafe arena.bytes(views[row]) }

    /// A copy of a row as text, or nil for null.
    public func string(_ row: Int) -> String? { isNull(row) ? nil : arena.string(views[row]) }
}

extension BytesColumn {
    /// From optionals, for tests and edges.
    public init(_ texts: [String?]) {
        let arena = ByteArena()
        self.init(
            arena: arena, views: texts.map { $0.map { arena.append($0) } ?? .empty },
            nulls: Bitmap.marking(texts) { $0 == nil })
    }

    public init(_ binaries: [[UInt8]?]) {
        let arena = ByteArena()
        self.init(
            arena: arena, views: binaries.map { $0.map { arena.append(contentsOf: $0) } ?? .empty },
            nulls: Bitmap.marking(binaries) { $0 == nil })
    }

    /// The rows at `rows`, in that order; the arena is shared, no byte is copied.
    public func gathered(_ rows: [Int32]) -> BytesColumn {
        BytesColumn(arena: arena, views: rows.map { views[Int($0)] }, nulls: nulls?.gathered(rows))
    }
}
