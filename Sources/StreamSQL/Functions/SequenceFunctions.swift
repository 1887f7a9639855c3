import StreamCore

/// `sequence(start, stop[, step])` over whole numbers, dates and timestamps, both ends included.
enum SequenceFunctions {
    static let all: [ScalarFunction] = [ScalarFunction("sequence", signature) { evaluate($0) }]

    private static let signature = Signature.custom(2...3) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let element = try typing.unify([0, 1]).type
        switch element {
        case .int8, .int16, .int32, .int64: if typing.count > 2 { try typing.coerce(2, to: element) }
        case .date, .timestamp:
            if typing.count > 2, typing.type(2) == .string || typing.type(2) == .null {
                typing.arguments[2] = typing.arguments[2].cast(to: .calendarInterval)
            }
            guard
                typing.count == 2 || [.yearMonthInterval, .dayTimeInterval, .calendarInterval].contains(typing.type(2))
            else {
                throw typing.mismatch(2, wanted: "INTERVAL")
            }
        default:
            throw typing.issue(
                "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES",
                "'\(typing.name)' goes from number to number or from time to time, not by \(element.name.uppercased())")
        }
        return ResultType(.array(element))
    }

    private static let illegal = RowError(
        "IllegalArgumentException", "the step does not lead from the start to the stop")

    private static func evaluate(_ call: Call) -> Column {
        guard case .array(let element) = call.type else { return call.nothing() }
        let hasStep = call.arguments.count > 2
        switch element {
        case .int8:
            return numbers(call, call.int8s(0), call.int8s(1), step: hasStep ? call.int8s(2) : nil) { .int8($0) }
        case .int16:
            return numbers(call, call.int16s(0), call.int16s(1), step: hasStep ? call.int16s(2) : nil) { .int16($0) }
        case .int32:
            return numbers(call, call.int32s(0), call.int32s(1), step: hasStep ? call.int32s(2) : nil) { .int32($0) }
        case .int64:
            return numbers(call, call.int64s(0), call.int64s(1), step: hasStep ? call.int64s(2) : nil) { .int64($0) }
        case .date: return dates(call)
        default: return timestamps(call)
        }
    }

    /// Collects the elements of each row.
    private static func lists<Value>(
        _ call: Call, _ wrap: (FixedColumn<Value>) -> Column, _ body: (Int, inout [Value]) throws(RowError) -> Void
    ) -> Column {
        var values: [Value] = []
        let spans = call.fixed(ListSpan(start: 0, length: 0)) { (row) throws(RowError) in
            let start = values.count
            do throws(RowError) {
                try body(row, &values)
            } catch {
                values.removeLast(values.count - start)
                throw error
            }
            return ListSpan(
                start: Int32(truncatingIfNeeded: start), length: Int32(truncatingIfNeeded: values.count - start))
        }
        return .array(
            ArrayColumn(
                elements: wrap(FixedColumn(values)), starts: spans.values.map(\.start),
                lengths: spans.values.map(\.length),
                nulls: spans.nulls))
    }

    private static func numbers<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ call: Call, _ start: FixedInput<Value>, _ stop: FixedInput<Value>, step: FixedInput<Value>?,
        _ wrap: (FixedColumn<Value>) -> Column
    ) -> Column {
        lists(call, wrap) { (row, values: inout [Value]) throws(RowError) in
            let (from, to) = (Int128(start[row]), Int128(stop[row]))
            let change = step.map { Int128($0[row]) } ?? (from <= to ? 1 : -1)
            guard change != 0 ? (from == to || (to > from) == (change > 0)) : from == to else { throw illegal }
            let count = change == 0 ? 1 : (to - from) / change + 1
            try ListLimits.check(Int(clamping: count), values.count)
            for place in 0..<count { values.append(Value(truncatingIfNeeded: from + place * change)) }
        }
    }

    // MARK: - Times

    private struct Step {
        var months: Int64 = 0
        var days: Int64 = 0
        var microseconds: Int64 = 0
    }

    private static func steps(_ call: Call) -> (_ row: Int, _ isBackwards: Bool) -> Step {
        guard call.arguments.count > 2 else { return { _, isBackwards in Step(days: isBackwards ? -1 : 1) } }
        switch call.arguments[2].column {
        case .yearMonthInterval:
            let months = call.int32s(2)
            return { row, _ in Step(months: Int64(months[row])) }
        case .dayTimeInterval:
            let span = call.int64s(2)
            return { row, _ in
                let (days, rest) = span[row].quotientAndRemainder(dividingBy: TimeText.microsecondsPerDay)
                return Step(days: days, microseconds: rest)
            }
        default:
            let span = call.intervals(2)
            return { row, _ in
                Step(months: Int64(span[row].months), days: Int64(span[row].days), microseconds: span[row].microseconds)
            }
        }
    }

    /// Every element is computed from the start: months of different lengths do not add up their losses.
    private static func append(
        _ start: Int64, _ stop: Int64, _ step: Step, _ zone: TimeZone, _ present: Int, _ emit: (Int64) -> Void
    ) throws(RowError) {
        let estimate =
            Int128(step.months) * 28 * Int128(TimeText.microsecondsPerDay)
            + Int128(step.days) * Int128(TimeText.microsecondsPerDay) + Int128(step.microseconds)
        guard estimate != 0 ? (start == stop || (stop > start) == (estimate > 0)) : start == stop else { throw illegal }
        if start == stop { return emit(start) }
        let expected = Int(clamping: (Int128(stop) - Int128(start)) / estimate + 1)
        try ListLimits.check(expected, present)
        var count: Int64 = 0
        var time = start
        while estimate > 0 ? time <= stop : time >= stop {
            // Months forwards and days backwards may lead away from the stop.
            guard count <= 2 * expected + 31 else { throw illegal }
            emit(time)
            count += 1
            guard let months = step.months.checkedTimes(count), let days = step.days.checkedTimes(count),
                let rest = step.microseconds.checkedTimes(count)
            else { throw TimeMath.overflow }
            time = try TimeMath.instant(start, months: months, days: days, microseconds: rest, zone)
        }
    }

    private static func timestamps(_ call: Call) -> Column {
        let (start, stop, zone) = (call.int64s(0), call.int64s(1), call.context.zone)
        let step = steps(call)
        return lists(call, Column.timestamp) { (row, values: inout [Int64]) throws(RowError) in
            try append(start[row], stop[row], step(row, stop[row] < start[row]), zone, values.count) {
                values.append($0)
            }
        }
    }

    private static func dates(_ call: Call) -> Column {
        let (start, stop) = (call.int32s(0), call.int32s(1))
        let step = steps(call)
        let perDay = TimeText.microsecondsPerDay
        return lists(call, Column.date) { (row, values: inout [Int32]) throws(RowError) in
            guard let from = Int64(start[row]).checkedTimes(perDay), let to = Int64(stop[row]).checkedTimes(perDay)
            else {
                throw TimeMath.overflow
            }
            try append(from, to, step(row, to < from), .utc, values.count) {
                values.append(Int32(truncatingIfNeeded: $0.floorDivided(by: perDay)))
            }
        }
    }
}
