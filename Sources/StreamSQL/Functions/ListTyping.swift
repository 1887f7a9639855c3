import StreamCore

/// How functions on arrays and maps type their arguments.
extension CallTyping {
    /// The element type of an array argument; an untyped NULL is an array of nothing.
    mutating func element(_ index: Int) throws(SyntaxIssue) -> DataType {
        if type(index) == .null { arguments[index] = arguments[index].cast(to: .array(.null)) }
        guard case .array(let element) = type(index) else { throw mismatch(index, wanted: "ARRAY") }
        return element
    }

    mutating func entry(_ index: Int) throws(SyntaxIssue) -> (key: DataType, value: DataType) {
        if type(index) == .null { arguments[index] = arguments[index].cast(to: .map(.null, .null)) }
        guard case .map(let key, let value) = type(index) else { throw mismatch(index, wanted: "MAP") }
        return (key, value)
    }

    /// Casts an array and a value to the type that is wide enough for the elements and the value.
    mutating func unifyElement(
        array: Int, value: Int, allowsNull: Bool, needsOrder: Bool = true
    ) throws(SyntaxIssue) -> DataType {
        let element = try element(array)
        if !allowsNull, type(value) == .null {
            throw issue("DATATYPE_MISMATCH.NULL_TYPE", "'\(name)' cannot look for an untyped NULL", at: value)
        }
        guard let common = Coercion.common(element, type(value)) else {
            throw issue(
                "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES",
                "'\(name)' needs elements and value of one type, not \(element.name) and \(type(value).name)", at: value
            )
        }
        if needsOrder { try requireOrder(common, at: array) }
        arguments[array] = arguments[array].cast(to: .array(common))
        arguments[value] = arguments[value].cast(to: common)
        return common
    }

    func requireOrder(_ type: DataType, at index: Int) throws(SyntaxIssue) {
        guard ValueOrder.isOrderable(type) else {
            throw issue(
                "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                "values of type \(type.name.uppercased()) cannot be compared",
                at: index)
        }
    }
}

/// What one row may make out of a little input.
enum ListLimits {
    static let rowMax = 1 << 24
    static let batchMax = 1 << 26

    static func check(_ additional: Int, _ present: Int) throws(RowError) {
        guard additional <= rowMax, present + additional <= batchMax else {
            throw RowError("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "too many elements")
        }
    }
}
