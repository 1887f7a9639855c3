internal import StreamCore

/// Rendered fields on their way to be JSON objects, one for each row. Null fields are left out.
struct ObjectText {
    private let count: Int
    private let fields: [Pieces]
    /// `,"name":` of all fields, with the opening quote of the value where it has one; each followed by slack.
    private let prefixes: Scratch
    private let places: [Piece]
    /// How many bytes all objects take at most.
    let byteCountMax: Int

    /// What the inner loop needs of a field: plain addresses, no reference counting.
    @safe
    private struct Plan {
        var items: UnsafePointer<Piece>
        var source: UnsafePointer<UInt8>?
        var scratch: UnsafePointer<UInt8>
        var prefix: UnsafePointer<UInt8>
        var prefixLength: Int
        var isQuoted: Bool
    }

    init(_ schema: Schema, _ columns: [Column], _ rows: [Int32]) {
        count = rows.count
        let fields = columns.map { TextRenderer(style: .json).render($0, rows) }
        let prefixes = Scratch()
        var byteCount = rows.count * 2
        var places: [Piece] = []
        for (field, pieces) in zip(schema.fields, fields) {
            let prefix = ",\"" + Self.escaped(field.name) + "\":" + (pieces.isQuoted ? "\"" : "")
            places.append(prefixes.write(prefix))
            byteCount += pieces.byteCount + prefix.utf8.count * rows.count
        }
        byteCountMax = byteCount + Scratch.slack
        self.fields = fields
        self.prefixes = prefixes
        self.places = places
    }

    /// Taken as late as possible: a column's arena may be the very one that is written to, and have moved.
    private func plans() -> [Plan] {
        zip(fields, places).map { pieces, place in
            unsafe Plan(
                items: UnsafePointer(pieces.items), source: pieces.arena?.bytePointer,
                scratch: UnsafePointer(pieces.scratch.base), prefix: UnsafePointer(prefixes.base + ~place.start),
                prefixLength: place.length, isQuoted: pieces.isQuoted)
        }
    }

    /// Writes all objects one after the other.
    /// - Parameters:
    ///   - target: room for `byteCountMax` bytes.
    ///   - emit: gets each row's index, the place of its object and its length.
    /// - Returns: how many bytes were written.
    @inline(__always)
    func write(to target: UnsafeMutablePointer<UInt8>, _ emit: (Int, Int, Int) -> Void) -> Int {
        withExtendedLifetime((fields, prefixes)) {
            unsafe plans().withUnsafeBufferPointer { plans in
                var cursor = 0
                for index in 0..<count {
                    let start = cursor
                    for place in 0..<plans.count {
                        let plan = unsafe plans[place]
                        let piece = unsafe plan.items[index]
                        if piece.length < 0 { continue }
                        unsafe copyShort(plan.prefix, to: target + cursor, plan.prefixLength)
                        cursor += plan.prefixLength
                        let scratch = unsafe plan.scratch
                        let bytes =
                            unsafe piece.start < 0 ? scratch + ~piece.start : (plan.source ?? scratch) + piece.start
                        unsafe copyShort(bytes, to: target + cursor, piece.length)
                        cursor += piece.length
                        if plan.isQuoted {
                            unsafe target[cursor] = UInt8(ascii: "\"")
                            cursor += 1
                        }
                    }
                    // The first field's comma is the opening bracket's place.
                    unsafe target[start] = UInt8(ascii: "{")
                    if cursor == start { cursor += 1 }
                    unsafe target[cursor] = UInt8(ascii: "}")
                    cursor += 1
                    emit(index, start, cursor - start)
                }
                return cursor
            }
        }
    }

    private static func escaped(_ name: String) -> String {
        let pieces = StringText.escape(BytesColumn([name]), [0])
        let bytes = unsafe UnsafeBufferPointer(start: pieces.address(pieces[0]), count: pieces[0].length)
        return unsafe String(decoding: bytes, as: UTF8.self)
    }
}
