import StreamCore

/// `a[i]`, `m[k]`, the field of every element of an array, and what builds arrays, maps and structs.
enum AccessFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction(
            "[]",
            .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                switch typing.type(0) {
                case .array(let element):
                    guard Coercion.isInteger(typing.type(1)) || typing.type(1) == .null else {
                        throw typing.mismatch(1, wanted: "INTEGRAL")
                    }
                    typing.arguments[1] = typing.arguments[1].cast(to: .int64)
                    return ResultType(element)
                case .map(let key, let value):
                    guard let common = Coercion.common(key, typing.type(1)), common == key else {
                        throw typing.mismatch(1, wanted: key.name.uppercased())
                    }
                    typing.arguments[1] = typing.arguments[1].cast(to: key)
                    return ResultType(value)
                default:
                    throw typing.issue(
                        "INVALID_EXTRACT_BASE_FIELD_TYPE",
                        "a value of type \(typing.arguments[0].typeName.uppercased()) has no elements", at: 0)
                }
            }
        ) { call in
            if let (map, mask) = call.maps(0) { return Access.mapValue(call, map, mask) }
            return Access.element(call)
        },
        ScalarFunction("array_member", .any(2...2, returns: .null)) { Access.memberOfElements($0) },
        ScalarFunction("array", arraySignature, propagatesNulls: false) { call in
            let columns = call.arguments.map(\.column)
            return call.list(columns) { row, picks in
                for (index, vector) in call.arguments.enumerated() { picks.append(Pick(index, row & vector.mask)) }
                return true
            }
        },
        ScalarFunction("struct", structSignature, propagatesNulls: false) {
            Access.structure($0, members: $0.arguments)
        },
        ScalarFunction("named_struct", namedStructSignature, propagatesNulls: false) { call in
            let members = stride(from: 1, to: call.arguments.count, by: 2).map { call.arguments[$0] }
            return Access.structure(call, members: members)
        },
        ScalarFunction("map", mapSignature, propagatesNulls: false) { Access.map($0) },
    ]

    private static let arraySignature = Signature.custom(0...Int.max) {
        (typing: inout CallTyping) throws(SyntaxIssue) in
        ResultType(.array(try typing.unify(Array(typing.arguments.indices)).type))
    }

    private static let structSignature = Signature.custom(0...Int.max) {
        (typing: inout CallTyping) throws(SyntaxIssue) in
        let fields = typing.arguments.indices.map { Field(typing.argumentNames[$0] ?? "col\($0 + 1)", typing.type($0)) }
        return ResultType(.structure(Schema(fields)))
    }

    private static let namedStructSignature = Signature.custom(0...Int.max) {
        (typing: inout CallTyping) throws(SyntaxIssue) in
        guard typing.count % 2 == 0 else {
            throw typing.issue("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "'\(typing.name)' takes names and values in pairs")
        }
        var fields: [Field] = []
        for index in stride(from: 0, to: typing.count, by: 2) {
            guard let name = typing.literalText(index) else {
                throw typing.issue(
                    "DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", "a name must be a literal",
                    at: index)
            }
            fields.append(Field(name, typing.type(index + 1)))
        }
        return ResultType(.structure(Schema(fields)))
    }

    private static let mapSignature = Signature.custom(0...Int.max) { (typing: inout CallTyping) throws(SyntaxIssue) in
        guard typing.count % 2 == 0 else {
            throw typing.issue("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "'\(typing.name)' takes keys and values in pairs")
        }
        let key = try typing.unify(Array(stride(from: 0, to: typing.count, by: 2)))
        let value = try typing.unify(Array(stride(from: 1, to: typing.count, by: 2)))
        if case .map = key.type {
            throw typing.issue("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", "a map cannot be the key of a map")
        }
        return ResultType(.map(key.type, value.type))
    }
}

enum Access {
    static func element(_ call: Call) -> Column {
        guard let (array, mask) = call.arrays(0) else { return call.nothing() }
        let index = call.int64s(1)
        return call.picked([array.elements]) { (row) throws(RowError) in
            let range = array.range(row & mask)
            guard index[row] >= 0, index[row] < Int64(range.count) else {
                throw RowError(
                    "INVALID_ARRAY_INDEX",
                    "the index \(index[row]) is out of bounds: the array has \(range.count) elements")
            }
            return Pick(0, range.lowerBound + Int(index[row]))
        }
    }

    /// The value of a key, or null.
    static func mapValue(_ call: Call, _ map: MapColumn, _ mask: Int) -> Column {
        let key = call.arguments[1]
        let order = ValueOrder(key.column.type)
        return call.picked([map.values]) { row in
            map.range(row & mask).first { order.compare(map.keys, $0, key.column, row & key.mask) == 0 }
                .map { Pick(0, $0) }
        }
    }

    /// `items.price`: the list of one field of every element.
    static func memberOfElements(_ call: Call) -> Column {
        guard let (array, mask) = call.arrays(0), case .structure(let elements) = array.elements else {
            return call.nothing()
        }
        let index = Int(call.int32s(1)[0])
        var result = array
        result.elements = elements.columns[index].withNulls(elements.nulls)
        return Vector(.array(result), isConstant: mask == 0).expanded(call.count)
    }

    static func structure(_ call: Call, members: [Vector]) -> Column {
        guard case .structure(let schema) = call.type else { return call.nothing() }
        let columns = members.map { $0.expanded(call.count) }
        return .structure(StructColumn(schema: schema, columns: columns, count: call.count))
    }

    static func map(_ call: Call) -> Column {
        guard case .map(let keyType, let valueType) = call.type else { return call.nothing() }
        let columns = call.arguments.map(\.column)
        let order = ValueOrder(keyType)
        var keys: [Pick] = []
        var values: [Pick] = []
        let spans = call.fixed(ListSpan(start: 0, length: 0)) { (row) throws(RowError) in
            let start = keys.count
            for index in stride(from: 0, to: columns.count, by: 2) {
                let key = Pick(index, row & call.arguments[index].mask)
                if columns[index].isNull(Int(key.row)) { throw RowError("NULL_MAP_KEY", "a map key is null") }
                let isKnown = keys[start...].contains {
                    order.compare(columns[Int($0.source)], Int($0.row), columns[index], Int(key.row)) == 0
                }
                if isKnown { throw RowError("DUPLICATED_MAP_KEY", "a map key is there twice") }
                keys.append(key)
                values.append(Pick(index + 1, row & call.arguments[index + 1].mask))
            }
            return ListSpan(
                start: Int32(truncatingIfNeeded: start), length: Int32(truncatingIfNeeded: keys.count - start))
        }
        return .map(
            MapColumn(
                keys: .interleaved(columns, type: keyType, keys),
                values: .interleaved(columns, type: valueType, values),
                starts: spans.values.map(\.start), lengths: spans.values.map(\.length), nulls: spans.nulls))
    }
}
