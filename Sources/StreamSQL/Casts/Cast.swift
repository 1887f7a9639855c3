import StreamCore

/// One cast between two types, in Spark's ANSI mode.
struct Cast {
    let from: DataType
    let to: DataType
    let isTry: Bool
    var fromUnits: IntervalUnits?
    var toUnits: IntervalUnits?

    /// Whether the cast exists at all; the error names Spark's class.
    static func check(from: DataType, to: DataType, isTry: Bool, at span: SourceSpan) throws(SyntaxIssue) {
        if isAllowed(from, to) { return }
        let hasOther = Coercion.isInteger(from) && to == .binary
        let suffix = hasOther && !isTry ? "CAST_WITH_CONF_SUGGESTION" : "CAST_WITHOUT_SUGGESTION"
        throw SyntaxIssue(
            StreamError.Code("DATATYPE_MISMATCH.\(suffix)"),
            "cannot cast \(from.name.uppercased()) to \(to.name.uppercased())", at: span)
    }

    static func isAllowed(_ from: DataType, _ to: DataType) -> Bool {
        if from == to || from == .null { return true }
        switch (from, to) {
        case (_, .null): return false
        case (_, .string): return true
        case (.string, _): return Coercion.isAtomic(to)
        case (.boolean, _): return Coercion.isNumeric(to)
        case (.date, .timestamp), (.timestamp, .date): return true
        case (.timestamp, _): return Coercion.isNumeric(to)
        case (.array(let a), .array(let b)): return isAllowed(a, b)
        case (.map(let k, let v), .map(let l, let w)): return isAllowed(k, l) && isAllowed(v, w)
        case (.structure(let a), .structure(let b)):
            return a.count == b.count && zip(a.fields, b.fields).allSatisfy { isAllowed($0.type, $1.type) }
        default: break
        }
        return Coercion.isNumeric(from) && (Coercion.isNumeric(to) || to == .boolean || to == .timestamp)
    }

    /// The column as the other type; errors go to the context's faults.
    func apply(_ column: Column, _ rows: Rows, _ context: EvaluationContext) -> Column {
        if from == to { return column }
        let call = Call(
            arguments: [Vector(column)], rows: rows, type: to, context: context, propagatesNulls: true, isTry: isTry)
        if case .null = column { return call.nothing() }
        switch to {
        case .string: return toString(column, call)
        case .int8: return .int8(integer(call, Int8.self))
        case .int16: return .int16(integer(call, Int16.self))
        case .int32: return .int32(integer(call, Int32.self))
        case .int64: return .int64(integer(call, Int64.self))
        case .float: return .float(float(call))
        case .double: return .double(double(call))
        case .decimal(let precision, let scale): return decimal(call, precision, scale)
        case .boolean: return boolean(call)
        case .date: return date(call)
        case .timestamp: return timestamp(call)
        case .binary:
            guard case .string(let bytes) = column else { return call.nothing() }
            return .binary(bytes)
        case .yearMonthInterval, .dayTimeInterval, .calendarInterval: return interval(call)
        case .array, .map, .structure: return nested(column, call)
        case .null: return .null(call.count)
        }
    }

    private func toString(_ column: Column, _ call: Call) -> Column {
        if case .binary(let bytes) = column { return Self.repaired(bytes, call) }
        let text = ValueText(zone: call.context.zone, units: fromUnits)
        return call.bytes { row, writer in
            text.append(column, row, &writer)
            return true
        }
    }

    /// Binary as text: strings hold valid UTF-8 only, so other bytes become U+FFFD.
    private static func repaired(_ bytes: BytesColumn, _ call: Call) -> Column {
        let input = BytesInput(bytes, mask: -1)
        return call.bytes { row, writer in
            let raw = input[row]
            if UTF8Text.isValid(raw) {
                writer.append(raw)
            } else {
                writer.append(String(decoding: raw, as: UTF8.self))
            }
            return true
        }
    }

    // MARK: - Errors

    var invalidInput: RowError {
        RowError(
            "CAST_INVALID_INPUT", "a value of type \(from.name.uppercased()) cannot be cast to \(to.name.uppercased())")
    }
    var overflow: RowError {
        RowError("CAST_OVERFLOW", "a value of type \(from.name.uppercased()) does not fit \(to.name.uppercased())")
    }

    // MARK: - Arrays, maps, structs

    private func nested(_ column: Column, _ call: Call) -> Column {
        switch (column, from, to) {
        case (.array(var array), .array(let a), .array(let b)):
            array.elements = elements(array.elements, a, b, call) { array.isNull($0) ? 0..<0 : array.range($0) }
            return .array(array)
        case (.map(var map), .map(let k, let v), .map(let l, let w)):
            map.keys = elements(map.keys, k, l, call) { map.isNull($0) ? 0..<0 : map.range($0) }
            map.values = elements(map.values, v, w, call) { map.isNull($0) ? 0..<0 : map.range($0) }
            return .map(map)
        case (.structure(let structure), .structure(let a), .structure(let b)):
            let present = call.rows.without(structure.nulls)
            let columns = structure.columns.indices.map { index in
                Cast(from: a[index].type, to: b[index].type, isTry: isTry)
                    .apply(structure.columns[index], present, call.context)
            }
            return .structure(StructColumn(schema: b, columns: columns, count: structure.count, nulls: structure.nulls))
        default: return call.nothing()
        }
    }

    /// Casts the elements that active rows hold; an element's error is its row's.
    private func elements(
        _ column: Column, _ from: DataType, _ to: DataType, _ call: Call, _ range: (Int) -> Range<Int>
    ) -> Column {
        guard from != to else { return column }
        var owner = [Int32](repeating: -1, count: column.count)
        call.rows.forEachRow { row in
            for element in range(row) where element < owner.count { owner[element] = Int32(truncatingIfNeeded: row) }
        }
        let scratch = EvaluationContext(
            columns: [], count: column.count, now: call.context.now, zone: call.context.zone)
        let active = Rows(count: column.count).filter { owner[$0] >= 0 }
        let result = Cast(from: from, to: to, isTry: isTry).apply(column, active, scratch)
        for fault in scratch.faults.faults {
            call.fail(Int(owner[Int(fault.row)]), RowError(fault.code, fault.message))
        }
        return result
    }
}
