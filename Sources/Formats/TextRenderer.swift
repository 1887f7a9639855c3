internal import StreamCore

/// Turns columns into text, a column at a time: the type is looked at once per batch, not per value.
struct TextRenderer {
    enum Style {
        /// A value inside a document: escaped, instants in ISO form.
        case json
        /// A key in a document: as a value, but everything will be quoted, so nothing quotes itself.
        case jsonKey
        /// A value on its own: as it is, instants as Spark casts them to text.
        case plain
    }

    var style: Style

    /// The texts of `rows`, in that order.
    func render(_ column: Column, _ rows: [Int32]) -> Pieces {
        switch column {
        case .null: return Pieces(count: rows.count)
        case .boolean(let column): return booleans(column, rows)
        case .int8(let column): return integers(column, rows)
        case .int16(let column): return integers(column, rows)
        case .int32(let column): return integers(column, rows)
        case .int64(let column): return integers(column, rows)
        case .float(let column):
            return unsafe reals(column, rows) { value, target in unsafe NumberText.write(value, to: target) }
        case .double(let column):
            return unsafe reals(column, rows) { value, target in unsafe NumberText.write(value, to: target) }
        case .decimal(let column):
            let scale = column.scale
            return unsafe each(column.unscaled, rows, NumberText.decimalBytesMax, isQuoted: false) { value, target in
                unsafe NumberText.write(value, scale: scale, to: target)
            }
        case .string(let column): return style == .plain ? verbatim(column, rows) : StringText.escape(column, rows)
        case .binary(let column): return style == .plain ? verbatim(column, rows) : StringText.base64(column, rows)
        case .date(let column):
            return unsafe each(column, rows, TimeText.dateBytesMax, isQuoted: true) { days, target in
                unsafe TimeText.writeDate(Int64(days), to: target)
            }
        case .timestamp(let column): return instants(column, rows)
        case .yearMonthInterval(let column): return texts(column, rows) { TimeText.yearMonth($0) }
        case .dayTimeInterval(let column): return texts(column, rows) { TimeText.dayTime($0) }
        case .calendarInterval(let column):
            return texts(column, rows) {
                TimeText.calendar(months: $0.months, days: $0.days, microseconds: $0.microseconds)
            }
        case .array, .map, .structure:
            return JSONContainers.render(column, rows)
        }
    }

    // MARK: - Values of a fixed size

    /// - Parameter limit: how many bytes one value takes at most.
    @inline(__always)
    private func each<Value>(
        _ column: FixedColumn<Value>, _ rows: [Int32], _ limit: Int, isQuoted: Bool,
        _ write: (Value, UnsafeMutablePointer<UInt8>) -> Int
    ) -> Pieces {
        let pieces = Pieces(count: rows.count)
        pieces.isQuoted = isQuoted
        for (index, row) in rows.enumerated() where !column.isNull(Int(row)) {
            let value = column.values[Int(row)]
            pieces[index] = unsafe pieces.scratch.write(limit) { unsafe write(value, $0) }
        }
        return pieces
    }

    private func integers<Value: FixedWidthInteger & SignedInteger & Sendable & BitwiseCopyable>(
        _ column: FixedColumn<Value>, _ rows: [Int32]
    ) -> Pieces {
        unsafe each(column, rows, NumberText.integerBytesMax, isQuoted: false) { value, target in
            unsafe NumberText.write(Int64(value), to: target)
        }
    }

    private func instants(_ column: FixedColumn<Int64>, _ rows: [Int32]) -> Pieces {
        let isPlain = style == .plain
        return unsafe each(column, rows, TimeText.timestampBytesMax, isQuoted: true) { value, target in
            unsafe isPlain ? TimeText.writePlain(value, to: target) : TimeText.writeISO(value, to: target)
        }
    }

    private func reals<Value: BinaryFloatingPoint & Sendable & BitwiseCopyable>(
        _ column: FixedColumn<Value>, _ rows: [Int32], _ write: (Value, UnsafeMutablePointer<UInt8>) -> Int
    ) -> Pieces {
        let quote = style == .json ? "\"" : ""
        let pieces = unsafe each(column, rows, NumberText.realBytesMax, isQuoted: false) { value, target in
            value.isFinite ? unsafe write(value, target) : 0
        }
        // JSON has no such numbers: they become strings.
        for (index, row) in rows.enumerated() where pieces[index].length == 0 {
            let value = column.values[Int(row)]
            let name = value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
            pieces[index] = pieces.scratch.write(quote + name + quote)
        }
        return pieces
    }

    private func booleans(_ column: FixedColumn<Bool>, _ rows: [Int32]) -> Pieces {
        let pieces = Pieces(count: rows.count)
        let yes = pieces.scratch.write("true")
        let no = pieces.scratch.write("false")
        for (index, row) in rows.enumerated() where !column.isNull(Int(row)) {
            pieces[index] = column.values[Int(row)] ? yes : no
        }
        return pieces
    }

    private func texts<Value>(_ column: FixedColumn<Value>, _ rows: [Int32], _ text: (Value) -> String) -> Pieces {
        let pieces = Pieces(count: rows.count)
        pieces.isQuoted = true
        for (index, row) in rows.enumerated() where !column.isNull(Int(row)) {
            pieces[index] = pieces.scratch.write(text(column.values[Int(row)]))
        }
        return pieces
    }

    private func verbatim(_ column: BytesColumn, _ rows: [Int32]) -> Pieces {
        let pieces = Pieces(count: rows.count)
        pieces.arena = column.arena
        for (index, row) in rows.enumerated() where !column.isNull(Int(row)) {
            let view = column.views[Int(row)]
            pieces[index] = Piece(arena: Int(view.start), length: Int(view.length))
        }
        return pieces
    }
}

extension ByteArena {
    /// The first byte; valid until the next append.
    var bytePointer: UnsafePointer<UInt8>? {
        unsafe allBytes.baseAddress.map { unsafe $0.assumingMemoryBound(to: UInt8.self) }
    }
}
