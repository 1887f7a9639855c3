public import StreamCore

extension Parser {
    private static let simpleTypes: [String: DataType] = [
        "BOOLEAN": .boolean, "TINYINT": .int8, "BYTE": .int8, "SMALLINT": .int16, "SHORT": .int16, "INT": .int32,
        "INTEGER": .int32, "BIGINT": .int64, "LONG": .int64, "FLOAT": .float, "REAL": .float, "DOUBLE": .double,
        "STRING": .string, "BINARY": .binary, "DATE": .date, "TIMESTAMP": .timestamp, "TIMESTAMP_LTZ": .timestamp,
        "VOID": .null,
    ]

    /// A type in DDL: `ARRAY<STRUCT<a: INT>>`, `DECIMAL(10, 2)`, `INTERVAL DAY TO SECOND`.
    mutating func dataType() throws(SyntaxIssue) -> (DataType, IntervalUnits?) {
        try nested { (parser: inout Parser) throws(SyntaxIssue) in try parser.bareType() }
    }

    private mutating func bareType() throws(SyntaxIssue) -> (DataType, IntervalUnits?) {
        let start = token
        let name = try identifier("a type").uppercased()
        if let type = Self.simpleTypes[name] { return (type, nil) }
        switch name {
        case "DECIMAL", "DEC", "NUMERIC": return (try decimalType(), nil)
        case "VARCHAR", "CHAR", "CHARACTER":
            if takeSymbol("(") {
                _ = try typeNumber()
                try expectSymbol(")")
            }
            return (.string, nil)
        case "ARRAY":
            try expectSymbol("<")
            let (element, _) = try dataType()
            try closeAngle()
            return (.array(element), nil)
        case "MAP":
            try expectSymbol("<")
            let (key, _) = try dataType()
            try expectSymbol(",")
            let (value, _) = try dataType()
            try closeAngle()
            return (.map(key, value), nil)
        case "STRUCT": return (.structure(try structFields(start.span)), nil)
        case "INTERVAL": return try intervalType()
        case "TIMESTAMP_NTZ", "TIME", "VARIANT":
            throw SyntaxIssue("UNSUPPORTED_DATATYPE", "the type \(name) is not supported yet", at: start.span)
        default:
            let known = Array(Self.simpleTypes.keys) + ["DECIMAL", "ARRAY", "MAP", "STRUCT", "INTERVAL", "VARCHAR"]
            let hint = NameSuggestion.phrase(for: name, among: known)
            throw SyntaxIssue("UNSUPPORTED_DATATYPE", "unknown type '\(name)'\(hint)", at: start.span)
        }
    }

    private mutating func decimalType() throws(SyntaxIssue) -> DataType {
        guard takeSymbol("(") else { return .decimal(precision: 10, scale: 0) }
        let place = token.span
        let precision = try typeNumber()
        let scale = takeSymbol(",") ? try typeNumber() : 0
        try expectSymbol(")")
        guard precision >= 1, precision <= 38 else {
            throw SyntaxIssue("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "a decimal has 1 to 38 digits", at: place)
        }
        guard scale <= precision else {
            throw SyntaxIssue(
                "INVALID_DECIMAL_SCALE", "scale \(scale) is greater than precision \(precision)", at: place)
        }
        return .decimal(precision: precision, scale: scale)
    }

    private mutating func typeNumber() throws(SyntaxIssue) -> Int {
        guard case .number(let number) = token.kind, number.form == .integer, number.suffix == .none,
            let value = Int(number.digits), value <= Int(Int32.max)
        else { throw unexpected("a number") }
        advance()
        return value
    }

    private mutating func intervalType() throws(SyntaxIssue) -> (DataType, IntervalUnits?) {
        guard let start = intervalUnitHere() else { return (.calendarInterval, nil) }
        advance()
        let units = try unitRange(from: start)
        return (units.start.isYearMonth ? .yearMonthInterval : .dayTimeInterval, units)
    }

    /// `TO second` behind a first unit.
    mutating func unitRange(from start: IntervalUnit) throws(SyntaxIssue) -> IntervalUnits {
        guard takeKeyword("TO") else { return IntervalUnits(start, start) }
        guard let end = intervalUnitHere(), end > start, end.isYearMonth == start.isYearMonth else {
            throw unexpected("a unit finer than \(start.name.uppercased())")
        }
        advance()
        return IntervalUnits(start, end)
    }

    func intervalUnitHere() -> IntervalUnit? {
        IntervalUnit.allCases.first { $0.name.uppercased() == token.keyword }
    }

    /// One `>`; the lexer may have read two or three as a shift.
    private mutating func closeAngle() throws(SyntaxIssue) {
        if pendingAngles > 0 {
            pendingAngles -= 1
        } else if takeSymbol(">>") {
            pendingAngles = 1
        } else if takeSymbol(">>>") {
            pendingAngles = 2
        } else {
            try expectSymbol(">")
        }
    }

    private mutating func structFields(_ start: SourceSpan) throws(SyntaxIssue) -> Schema {
        if isSymbol("<>") {
            advance()
            return Schema([])
        }
        try expectSymbol("<")
        var fields: [Field] = []
        if !isSymbol(">") {
            repeat { fields.append(try columnDefinition(isNested: true)) } while pendingAngles == 0 && takeSymbol(",")
        }
        try closeAngle()
        return Schema(fields)
    }

    private mutating func columnDefinition(isNested: Bool) throws(SyntaxIssue) -> Field {
        let name = try identifier("a column name")
        if isNested { _ = takeSymbol(":") }
        let (type, _) = try dataType()
        if pendingAngles == 0 {
            if takeKeyword("NOT") { try expectKeyword("NULL") }
            if takeKeyword("COMMENT") {
                guard case .string = token.kind else { throw unexpected("a string") }
                advance()
            }
        }
        return Field(name, type)
    }

    /// `id BIGINT, item STRUCT<sku: STRING>`: the columns of a table.
    mutating func tableSchema() throws(SyntaxIssue) -> Schema {
        var fields: [Field] = []
        var seen: Set<String> = []
        repeat {
            let place = token.span
            let field = try columnDefinition(isNested: false)
            guard seen.insert(field.name.lowercased()).inserted else {
                throw SyntaxIssue("COLUMN_ALREADY_EXISTS", "the column '\(field.name)' is there twice", at: place)
            }
            fields.append(field)
        } while takeSymbol(",")
        guard token.kind == .end else { throw unexpected("',' or the end of the schema") }
        return Schema(fields)
    }
}

extension Schema {
    /// Reads a schema in Spark's DDL: `id BIGINT, item STRUCT<sku: STRING, qty: INT>, price DECIMAL(10,2)`.
    /// - Throws: `SQLError` with the position of the mistake.
    public static func parse(_ text: String, origin: SourceOrigin = SourceOrigin()) throws(SQLError) -> Schema {
        let source = SourceText(text, origin: origin)
        do throws(SyntaxIssue) {
            var parser = try Parser(source)
            return try parser.tableSchema()
        } catch {
            throw SQLError([error.diagnostic(in: source)])
        }
    }
}

extension DataType {
    /// Reads a type (`array<int>`), or a table's schema as a struct (`a INT, b STRING`), as `from_json` takes either.
    static func parse(_ text: String) throws(SyntaxIssue) -> DataType {
        let source = SourceText(text)
        var parser = try Parser(source)
        if let (type, _) = try? parser.dataType(), parser.token.kind == .end { return type }
        var again = try Parser(source)
        return .structure(try again.tableSchema())
    }
}
