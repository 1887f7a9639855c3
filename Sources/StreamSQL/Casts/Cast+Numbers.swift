import StreamCore

extension Cast {
    /// To a whole number: fractions are cut, what does not fit is an error.
    func integer<Target: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ call: Call, _: Target.Type
    ) -> FixedColumn<Target> {
        switch from {
        case .string:
            let input = call.bytes(0)
            return call.fixed(0) { (row) throws(RowError) in
                guard let value = NumberCast.integer(input[row]), let target = Target(exactly: value) else {
                    throw invalidInput
                }
                return target
            }
        case .boolean:
            let input = call.booleans(0)
            return call.fixed(0) { input[$0] ? 1 : 0 }
        case .int8: return narrowed(call, call.int8s(0))
        case .int16: return narrowed(call, call.int16s(0))
        case .int32: return narrowed(call, call.int32s(0))
        case .int64: return narrowed(call, call.int64s(0))
        case .float: return truncated(call, call.floats(0))
        case .double: return truncated(call, call.doubles(0))
        case .decimal(_, let scale):
            let input = call.decimals(0)
            let divisor = Decimals.powers[scale]
            return call.fixed(0) { (row) throws(RowError) in
                guard let target = Target(exactly: input[row] / divisor) else { throw overflow }
                return target
            }
        case .timestamp:
            let input = call.int64s(0)
            return call.fixed(0) { (row) throws(RowError) in
                guard let target = Target(exactly: input[row].floorDivided(by: 1_000_000)) else { throw overflow }
                return target
            }
        default:
            return FixedColumn(
                [Target](repeating: 0, count: call.count), nulls: Bitmap(count: call.count, repeating: true))
        }
    }

    private func narrowed<Source: FixedWidthInteger & BitwiseCopyable & Sendable, Target>(
        _ call: Call, _ input: FixedInput<Source>
    ) -> FixedColumn<Target> where Target: FixedWidthInteger & BitwiseCopyable & Sendable {
        if Target.bitWidth >= Source.bitWidth { return call.dense { Target(truncatingIfNeeded: input[$0]) } }
        return call.fixed(0) { (row) throws(RowError) in
            guard let target = Target(exactly: input[row]) else { throw overflow }
            return target
        }
    }

    private func truncated<Source: BinaryFloatingPoint & BitwiseCopyable & Sendable, Target>(
        _ call: Call, _ input: FixedInput<Source>
    ) -> FixedColumn<Target> where Target: FixedWidthInteger & BitwiseCopyable & Sendable {
        call.fixed(0) { (row) throws(RowError) in
            let value = input[row].rounded(.towardZero)
            guard value.isFinite, let target = Target(exactly: value) else { throw overflow }
            return target
        }
    }

    func double(_ call: Call) -> FixedColumn<Double> {
        switch from {
        case .string:
            let input = call.bytes(0)
            return call.fixed(0) { (row) throws(RowError) in
                guard let value = NumberCast.double(input[row]) else { throw invalidInput }
                return value
            }
        case .boolean:
            let input = call.booleans(0)
            return call.dense { input[$0] ? 1 : 0 }
        case .int8: return widened(call, call.int8s(0))
        case .int16: return widened(call, call.int16s(0))
        case .int32: return widened(call, call.int32s(0))
        case .int64: return widened(call, call.int64s(0))
        case .float:
            let input = call.floats(0)
            return call.dense { Double(input[$0]) }
        case .double:
            let input = call.doubles(0)
            return call.dense { input[$0] }
        case .decimal(_, let scale):
            let input = call.decimals(0)
            return call.fixed(0) { Decimals.double(input[$0], scale: scale) }
        case .timestamp:
            let input = call.int64s(0)
            return call.dense { Double(input[$0]) / 1e6 }
        default:
            return FixedColumn(
                [Double](repeating: 0, count: call.count), nulls: Bitmap(count: call.count, repeating: true))
        }
    }

    private func widened<Source: BinaryInteger & BitwiseCopyable & Sendable>(
        _ call: Call, _ input: FixedInput<Source>
    ) -> FixedColumn<Double> {
        call.dense { Double(input[$0]) }
    }

    func float(_ call: Call) -> FixedColumn<Float> {
        if case .string = from {
            let input = call.bytes(0)
            return call.fixed(0) { (row) throws(RowError) in
                guard let value = NumberCast.double(input[row]) else { throw invalidInput }
                return Float(value)
            }
        }
        if case .int64 = from {
            let input = call.int64s(0)
            return call.dense { Float(input[$0]) }
        }
        let wide = double(call)
        return FixedColumn(wide.values.map { Float($0) }, nulls: wide.nulls)
    }

    func boolean(_ call: Call) -> Column {
        switch from {
        case .string:
            let input = call.bytes(0)
            return call.boolean { (row) throws(RowError) in
                guard let value = NumberCast.boolean(input[row]) else { throw invalidInput }
                return value
            }
        case .decimal:
            let input = call.decimals(0)
            return .boolean(call.dense { input[$0] != 0 })
        default:
            let wide = double(call)
            return .boolean(FixedColumn(wide.values.map { $0 != 0 }, nulls: wide.nulls))
        }
    }

    func decimal(_ call: Call, _ precision: Int, _ scale: Int) -> Column {
        let tooLarge = RowError(
            "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "the value does not fit \(to.name.uppercased())")
        func convert(_ value: Int128, _ from: Int) throws(RowError) -> Int128 {
            guard let result = Decimals.fit(value, scale: from, precision: precision, to: scale) else { throw tooLarge }
            return result
        }
        switch from {
        case .string:
            let input = call.bytes(0)
            return call.decimal { (row) throws(RowError) in
                guard let parsed = DecimalText.parse(Array(input[row].trimmed)[...]) else { throw invalidInput }
                return try convert(parsed.unscaled, parsed.scale)
            }
        case .decimal(_, let old):
            let input = call.decimals(0)
            return call.decimal { (row) throws(RowError) in try convert(input[row], old) }
        case .float, .double:
            let isFloat = from == .float
            let floats = isFloat ? call.floats(0) : nil
            let doubles = isFloat ? nil : call.doubles(0)
            return call.decimal { (row) throws(RowError) in
                let value = floats.map { Double($0[row]) } ?? doubles?[row] ?? 0
                // Java's BigDecimal.valueOf: the digits that print, not the binary value.
                guard value.isFinite else { throw invalidInput }
                let text = floats.map { $0[row].description } ?? value.description
                guard let parsed = DecimalText.parse(text) else { throw tooLarge }
                return try convert(parsed.unscaled, parsed.scale)
            }
        case .timestamp:
            let input = call.int64s(0)
            return call.decimal { (row) throws(RowError) in try convert(Int128(input[row]), 6) }
        default:
            let wide = integer(call, Int64.self)
            let input = FixedInput(wide, mask: -1)
            return call.decimal { (row) throws(RowError) in try convert(Int128(input[row]), 0) }
        }
    }
}
