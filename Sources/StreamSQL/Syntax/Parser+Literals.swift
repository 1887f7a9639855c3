import StreamCore

extension Parser {
    func numberLiteral(_ number: NumberText, isNegative: Bool, _ span: SourceSpan) throws(SyntaxIssue) -> SyntaxNode {
        let text = (isNegative ? "-" : "") + number.digits
        switch number.suffix {
        case .tinyint: return try integer(text, .int8, Int64(Int8.min)...Int64(Int8.max), span)
        case .smallint: return try integer(text, .int16, Int64(Int16.min)...Int64(Int16.max), span)
        case .bigint: return try integer(text, .int64, Int64.min...Int64.max, span)
        case .double: return try floating(text, .double, span)
        case .float: return try floating(text, .float, span)
        case .decimal: return try decimal(text, span)
        case .none: break
        }
        switch number.form {
        case .exponent: return try floating(text, .double, span)
        case .decimal: return try decimal(text, span)
        case .integer:
            guard let value = Int64(text) else { return try decimal(text, span) }
            let type: DataType = Int32(exactly: value) == nil ? .int64 : .int32
            return SyntaxNode(.literal(.integer(value), type, nil), span)
        }
    }

    private func integer(
        _ text: String, _ type: DataType, _ range: ClosedRange<Int64>, _ span: SourceSpan
    ) throws(SyntaxIssue) -> SyntaxNode {
        guard let value = Int64(text), range.contains(value) else { throw outOfRange(text, type, span) }
        return SyntaxNode(.literal(.integer(value), type, nil), span)
    }

    private func floating(_ text: String, _ type: DataType, _ span: SourceSpan) throws(SyntaxIssue) -> SyntaxNode {
        guard let value = type == .float ? Float(text).map(Double.init) : Double(text), value.isFinite else {
            throw outOfRange(text, type, span)
        }
        return SyntaxNode(.literal(.double(value), type, nil), span)
    }

    /// `1.5` is DECIMAL(2,1), `0.1` DECIMAL(1,1): as many digits as it takes.
    private func decimal(_ text: String, _ span: SourceSpan) throws(SyntaxIssue) -> SyntaxNode {
        guard let parsed = DecimalText.parse(text), parsed.scale <= 38, parsed.scale >= 0 else {
            throw outOfRange(text, .decimal(precision: 38, scale: 18), span)
        }
        let digits = Decimals.digitCount(parsed.unscaled)
        let precision = max(digits, parsed.scale, 1)
        guard precision <= 38 else { throw outOfRange(text, .decimal(precision: 38, scale: 18), span) }
        let type = DataType.decimal(precision: precision, scale: parsed.scale)
        return SyntaxNode(.literal(.decimal(parsed.unscaled), type, nil), span)
    }

    private func outOfRange(_ text: String, _ type: DataType, _ span: SourceSpan) -> SyntaxIssue {
        SyntaxIssue("INVALID_NUMERIC_LITERAL_RANGE", "\(text) does not fit the type \(type.name)", at: span)
    }
}
