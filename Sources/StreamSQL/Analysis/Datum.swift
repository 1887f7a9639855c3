import StreamCore

/// One value outside of columns: a literal, a constant, an element of a test. Never used per row on a hot path.
///
/// Integers, dates (days), timestamps (µs), year-month (months) and day-time (µs) intervals are all `.integer`: the
/// type beside the datum says which.
public indirect enum Datum: Hashable, Sendable, Codable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    /// Unscaled; the scale is in the type.
    case decimal(Int128)
    case string(String)
    case binary([UInt8])
    case interval(months: Int32, days: Int32, microseconds: Int64)
    case array([Datum])
    case map(keys: [Datum], values: [Datum])
    case structure([Datum])
}

/// A field of an interval type, the coarsest first.
public enum IntervalUnit: Int, Hashable, Sendable, Codable, Comparable, CaseIterable {
    case year, month, day, hour, minute, second

    public static func < (a: IntervalUnit, b: IntervalUnit) -> Bool { a.rawValue < b.rawValue }
    public var name: String { "\(self)" }
    var isYearMonth: Bool { self <= .month }
}

/// The fields an interval type shows: `day to second`, `month`. `DataType` has one type per family, so an expression
/// carries these beside its type; inside arrays and structs the widest is shown.
public struct IntervalUnits: Hashable, Sendable, Codable {
    public var start: IntervalUnit
    public var end: IntervalUnit

    public init(_ start: IntervalUnit, _ end: IntervalUnit) {
        self.start = start
        self.end = end
    }

    static let dayToSecond = IntervalUnits(.day, .second)
    static let yearToMonth = IntervalUnits(.year, .month)

    /// The widest of a type, or nil if it is no such interval.
    static func widest(of type: DataType) -> IntervalUnits? {
        switch type {
        case .yearMonthInterval: .yearToMonth
        case .dayTimeInterval: .dayToSecond
        default: nil
        }
    }

    /// The smallest range that covers both.
    static func covering(_ a: IntervalUnits?, _ b: IntervalUnits?) -> IntervalUnits? {
        guard let a, let b else { return a ?? b }
        return IntervalUnits(min(a.start, b.start), max(a.end, b.end))
    }

    /// `interval day to second`
    public var typeName: String { start == end ? "interval \(start.name)" : "interval \(start.name) to \(end.name)" }
}
