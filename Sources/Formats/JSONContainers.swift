internal import StreamCore

/// Puts rendered values together: objects, arrays and maps.
enum JSONContainers {
    static func render(_ column: Column, _ rows: [Int32]) -> Pieces {
        switch column {
        case .array(let column): array(column, rows)
        case .map(let column): map(column, rows)
        case .structure(let column): structure(column, rows)
        default: preconditionFailure("only containers come here")
        }
    }

    // MARK: - Structs

    private static func structure(_ column: StructColumn, _ rows: [Int32]) -> Pieces {
        let object = ObjectText(column.schema, column.columns, rows)
        let pieces = Pieces(count: rows.count)
        for (index, row) in rows.enumerated() where !column.isNull(Int(row)) {
            pieces[index] = Piece(arena: 0, length: 0)
        }
        let limit = object.byteCountMax
        let before = pieces.scratch.count
        _ = unsafe pieces.scratch.write(limit) { target in
            unsafe object.write(to: target) { index, start, length in
                if !pieces[index].isNull { pieces[index] = Piece(scratch: before + start, length: length) }
            }
        }
        return pieces
    }

    // MARK: - Arrays and maps

    private static func array(_ column: ArrayColumn, _ rows: [Int32]) -> Pieces {
        let lists = Lists(column.starts, column.lengths, column.nulls, rows)
        let elements = TextRenderer(style: .json).render(column.elements, lists.entries)
        let limit = elements.byteCount + lists.entries.count * 5
        return unsafe lists.join(open: "[", close: "]", limit: limit) { entry, target in
            unsafe writeValue(elements, entry, to: target)
        }
    }

    private static func map(_ column: MapColumn, _ rows: [Int32]) -> Pieces {
        let lists = Lists(column.starts, column.lengths, column.nulls, rows)
        let keys = TextRenderer(style: .jsonKey).render(column.keys, lists.entries)
        let values = TextRenderer(style: .json).render(column.values, lists.entries)
        let limit = keys.byteCount + values.byteCount + lists.entries.count * 9
        keys.isQuoted = true
        return unsafe lists.join(open: "{", close: "}", limit: limit) { entry, target in
            let length = unsafe writeValue(keys, entry, to: target)
            unsafe target[length] = UInt8(ascii: ":")
            return unsafe length + 1 + writeValue(values, entry, to: target + length + 1)
        }
    }

    /// A value with its quotes; `null` where it is null.
    @inline(__always)
    private static func writeValue(_ pieces: Pieces, _ index: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let piece = pieces[index]
        if piece.isNull {
            unsafe UnsafeMutableRawPointer(target).storeBytes(of: 0x6C6C_756E, as: UInt32.self)
            return 4
        }
        guard pieces.isQuoted else {
            unsafe copyShort(pieces.address(piece), to: target, piece.length)
            return piece.length
        }
        unsafe target[0] = UInt8(ascii: "\"")
        unsafe copyShort(pieces.address(piece), to: target + 1, piece.length)
        unsafe target[piece.length + 1] = UInt8(ascii: "\"")
        return piece.length + 2
    }

    /// The entries of the lists of some rows, one after the other.
    private struct Lists {
        var entries: [Int32] = []
        /// How many entries each row has; -1: the row is null.
        var lengths: [Int] = []

        init(_ starts: [Int32], _ lengths: [Int32], _ nulls: Bitmap?, _ rows: [Int32]) {
            self.lengths.reserveCapacity(rows.count)
            for row in rows {
                let row = Int(row)
                if let nulls, nulls[row] {
                    self.lengths.append(-1)
                    continue
                }
                self.lengths.append(Int(lengths[row]))
                for entry in 0..<lengths[row] { entries.append(starts[row] + entry) }
            }
        }

        /// - Parameter limit: how many bytes all entries take at most, separators included.
        func join(
            open: Unicode.Scalar, close: Unicode.Scalar, limit: Int,
            _ write: (Int, UnsafeMutablePointer<UInt8>) -> Int
        ) -> Pieces {
            let pieces = Pieces(count: lengths.count)
            _ = unsafe pieces.scratch.write(limit + lengths.count * 2) { target in
                var cursor = 0
                var entry = 0
                for (index, length) in lengths.enumerated() where length >= 0 {
                    let start = cursor
                    unsafe target[cursor] = UInt8(ascii: open)
                    cursor += 1
                    for place in 0..<length {
                        if place > 0 {
                            unsafe target[cursor] = UInt8(ascii: ",")
                            cursor += 1
                        }
                        cursor += unsafe write(entry, target + cursor)
                        entry += 1
                    }
                    unsafe target[cursor] = UInt8(ascii: close)
                    cursor += 1
                    pieces[index] = Piece(scratch: start, length: cursor - start)
                }
                return cursor
            }
            return pieces
        }
    }
}
