import StreamCore

extension Parser {
    /// Whether INTERVAL begins a literal here and is not a column of that name.
    var startsInterval: Bool {
        switch ahead(1).kind {
        case .string, .number: true
        case .symbol("-"), .symbol("+"):
            if case .number = ahead(2).kind { true } else if case .string = ahead(2).kind { true } else { false }
        default: false
        }
    }

    /// `INTERVAL 1 DAY`, `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '1 day 2 hours'`, `INTERVAL 1 DAY 2 HOURS`.
    mutating func interval() throws(SyntaxIssue) -> SyntaxNode {
        let start = advance().span
        var sum = IntervalSum()
        var isNegative = false
        if isSymbol("-") || isSymbol("+") { isNegative = advance().kind == .symbol("-") }
        if case .string(let text) = token.kind, !IntervalText.isUnit(ahead(1).keyword) {
            advance()
            guard sum.add(IntervalText.terms(text), isNegative: isNegative) else {
                throw invalidInterval("'\(text)'", span(from: start))
            }
            return try literal(sum, start)
        }
        repeat {
            let text = try amount()
            guard IntervalText.isUnit(token.keyword) else { throw unexpected("a unit such as DAY") }
            let unit = advance().keyword
            if isKeyword("TO"), let first = IntervalUnit.named(unit) {
                let units = try unitRange(from: first)
                return try ranged(text, units, isNegative: isNegative, start)
            }
            guard sum.add(amount: text, unit: unit, isNegative: isNegative) else {
                throw invalidInterval("'\(text)' \(unit)", span(from: start))
            }
        } while isAmountAhead
        return try literal(sum, start)
    }

    private var isAmountAhead: Bool {
        switch token.kind {
        case .string, .number: IntervalText.isUnit(ahead(1).keyword)
        default: false
        }
    }

    private mutating func amount() throws(SyntaxIssue) -> String {
        switch token.kind {
        case .string(let text):
            advance()
            return text
        case .number(let number) where number.form != .exponent && number.suffix == .none:
            advance()
            return number.digits
        default: throw unexpected("a number")
        }
    }

    private func ranged(
        _ text: String, _ units: IntervalUnits, isNegative: Bool, _ start: SourceSpan
    ) throws(SyntaxIssue) -> SyntaxNode {
        guard let value = IntervalText.parse(text, units),
            let signed = isNegative ? Int64(0).checkedMinus(value) : value
        else {
            throw invalidInterval("'\(text)' as \(units.typeName)", span(from: start))
        }
        let type: DataType = units.start.isYearMonth ? .yearMonthInterval : .dayTimeInterval
        return SyntaxNode(.literal(.integer(signed), type, units), span(from: start))
    }

    private func literal(_ sum: IntervalSum, _ start: SourceSpan) throws(SyntaxIssue) -> SyntaxNode {
        let place = span(from: start)
        guard let units = sum.units else { throw invalidInterval("without a value", place) }
        guard units.start.isYearMonth == units.end.isYearMonth else {
            throw SyntaxIssue(
                "_LEGACY_ERROR_TEMP_0029", "an interval cannot mix years or months with days or times", at: place)
        }
        if units.start.isYearMonth {
            return SyntaxNode(.literal(.integer(sum.months), .yearMonthInterval, units), place)
        }
        return SyntaxNode(.literal(.integer(sum.microseconds), .dayTimeInterval, units), place)
    }

    private func invalidInterval(_ what: String, _ span: SourceSpan) -> SyntaxIssue {
        SyntaxIssue("INVALID_INTERVAL_FORMAT", "cannot read the interval \(what)", at: span)
    }
}

extension IntervalUnit {
    static func named(_ text: String) -> IntervalUnit? {
        allCases.first { $0.name.uppercased() == text || $0.name.uppercased() + "S" == text }
    }
}

extension Int64 {
    func checkedMinus(_ other: Int64) -> Int64? {
        let (value, overflow) = subtractingReportingOverflow(other)
        return overflow ? nil : value
    }
    func checkedPlus(_ other: Int64) -> Int64? {
        let (value, overflow) = addingReportingOverflow(other)
        return overflow ? nil : value
    }
    func checkedTimes(_ other: Int64) -> Int64? {
        let (value, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? nil : value
    }
}
