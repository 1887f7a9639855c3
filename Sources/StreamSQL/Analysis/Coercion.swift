import StreamCore

/// Spark's implicit casts in ANSI mode.
enum Coercion {
    private static let integers: [DataType] = [.int8, .int16, .int32, .int64]

    static func isInteger(_ type: DataType) -> Bool { integers.contains(type) }
    static func isDecimal(_ type: DataType) -> Bool { if case .decimal = type { true } else { false } }
    static func isNumeric(_ type: DataType) -> Bool {
        isInteger(type) || isDecimal(type) || type == .float || type == .double
    }
    static func isAtomic(_ type: DataType) -> Bool {
        switch type {
        case .array, .map, .structure, .null: false
        default: true
        }
    }

    /// The decimal that holds every value of an integer type.
    static func decimal(for type: DataType) -> DataType? {
        switch type {
        case .int8: .decimal(precision: 3, scale: 0)
        case .int16: .decimal(precision: 5, scale: 0)
        case .int32: .decimal(precision: 10, scale: 0)
        case .int64: .decimal(precision: 20, scale: 0)
        case .decimal: type
        default: nil
        }
    }

    /// As `decimal(for:)`, and as few digits as it takes for a literal.
    static func decimal(for expression: Expression) -> DataType? {
        if case .literal(.integer(let value)) = expression.kind, isInteger(expression.type) {
            return .decimal(precision: max(1, Decimals.digitCount(Int128(value))), scale: 0)
        }
        return decimal(for: expression.type)
    }

    /// The type that both are cast to before they are compared or put together; nil if there is none.
    static func common(_ a: DataType, _ b: DataType) -> DataType? {
        if a == b { return a }
        switch (a, b) {
        case (.null, _): return b
        case (_, .null): return a
        case (.string, _) where isAtomic(b): return forString(b)
        case (_, .string) where isAtomic(a): return forString(a)
        case (.date, .timestamp), (.timestamp, .date): return .timestamp
        case (.array(let x), .array(let y)): return common(x, y).map { .array($0) }
        case (.map(let k, let v), .map(let l, let w)):
            guard let key = common(k, l), let value = common(v, w) else { return nil }
            return .map(key, value)
        case (.structure(let x), .structure(let y)):
            guard x.count == y.count else { return nil }
            var fields: [Field] = []
            for (one, other) in zip(x.fields, y.fields) {
                guard one.name.lowercased() == other.name.lowercased(), let type = common(one.type, other.type) else {
                    return nil
                }
                fields.append(Field(one.name, type))
            }
            return .structure(Schema(fields))
        default: return isNumeric(a) && isNumeric(b) ? numeric(a, b) : nil
        }
    }

    private static func forString(_ other: DataType) -> DataType? {
        if isInteger(other) { return .int64 }
        if isNumeric(other) { return .double }
        return other
    }

    private static func numeric(_ a: DataType, _ b: DataType) -> DataType? {
        if let x = integers.firstIndex(of: a), let y = integers.firstIndex(of: b) { return integers[max(x, y)] }
        // Float with anything but itself is double: nothing is lost.
        guard a != .float, b != .float, a != .double, b != .double else { return .double }
        guard case .decimal(let p, let s)? = decimal(for: a), case .decimal(let q, let t)? = decimal(for: b) else {
            return nil
        }
        return DecimalRules.wider(p, s, q, t)
    }

    /// The argument cast to what a function wants, or nil if Spark would not do that by itself.
    static func implicit(_ expression: Expression, to type: DataType) -> Expression? {
        let from = expression.type
        if from == type { return expression }
        switch (from, type) {
        case (.null, _): return expression.cast(to: type)
        case (.string, _) where isAtomic(type): return expression.cast(to: type)
        case (_, .string) where isAtomic(from): return expression.cast(to: type)
        case (.date, .timestamp), (.timestamp, .date): return expression.cast(to: type)
        case (.array(let a), .array(let b)) where implicitElement(a, b): return expression.cast(to: type)
        case (.map(let k, let v), .map(let l, let w)) where implicitElement(k, l) && implicitElement(v, w):
            return expression.cast(to: type)
        default: break
        }
        guard isNumeric(from), isNumeric(type) else { return nil }
        if type == .double { return expression.cast(to: type) }
        if type == .float { return from == .double ? nil : expression.cast(to: type) }
        if isDecimal(type) { return from == .float || from == .double ? nil : expression.cast(to: type) }
        guard let rank = integers.firstIndex(of: from), let target = integers.firstIndex(of: type) else { return nil }
        if rank < target { return expression.cast(to: type) }
        return nil
    }

    private static func implicitElement(_ from: DataType, _ to: DataType) -> Bool {
        from == to || from == .null || implicit(Expression(.column(0), from), to: to) != nil
    }
}

/// Precision and scale of decimal results, as in Hive and Spark.
enum DecimalRules {
    /// At most 38 digits; digits before the point go first, at least six behind it stay.
    static func adjusted(_ precision: Int, _ scale: Int) -> DataType {
        if precision <= 38 { return .decimal(precision: precision, scale: scale) }
        let whole = precision - scale
        return .decimal(precision: 38, scale: max(38 - whole, min(scale, 6)))
    }

    static func wider(_ p: Int, _ s: Int, _ q: Int, _ t: Int) -> DataType {
        let scale = max(s, t)
        let precision = max(p - s, q - t) + scale
        // The widening of types cuts the scale alone.
        return .decimal(precision: min(precision, 38), scale: min(scale, 38))
    }

    static func sum(_ p: Int, _ s: Int, _ q: Int, _ t: Int) -> DataType {
        let scale = max(s, t)
        return adjusted(max(p - s, q - t) + scale + 1, scale)
    }

    static func product(_ p: Int, _ s: Int, _ q: Int, _ t: Int) -> DataType { adjusted(p + q + 1, s + t) }

    static func quotient(_ p: Int, _ s: Int, _ q: Int, _ t: Int) -> DataType {
        let scale = max(6, s + q + 1)
        return adjusted(p - s + t + scale, scale)
    }

    static func remainder(_ p: Int, _ s: Int, _ q: Int, _ t: Int) -> DataType {
        let scale = max(s, t)
        return adjusted(min(p - s, q - t) + scale, scale)
    }
}
