internal import CJSON
internal import StreamCore

/// Says what is wrong with a document, without quoting it.
struct JSONFaultMessages {
    let tree: JSONFieldTree
    let depthMax: Int

    func fault(_ fault: cjson_fault) -> RowFault {
        RowFault(row: Int32(fault.row), code: code(fault.code), message: message(fault))
    }

    private func code(_ code: cjson_code) -> StreamError.Code {
        switch code {
        case .malformed: "MALFORMED_JSON"
        case .truncated: "TRUNCATED"
        case .invalidUtf8: "INVALID_UTF8"
        case .tooDeep: "TOO_DEEP"
        case .notAnObject: "NOT_AN_OBJECT"
        case .wrongType: "WRONG_TYPE"
        }
    }

    private func message(_ fault: cjson_fault) -> String {
        switch fault.code {
        case .malformed: "The value is not JSON (about byte \(fault.position))."
        case .truncated: "The JSON document ends before it is complete."
        case .invalidUtf8: "The value is not valid UTF-8."
        case .tooDeep: "Objects and arrays are nested deeper than \(depthMax) (byte \(fault.position))."
        case .notAnObject: "The JSON document is not an object."
        case .wrongType: wrongType(fault)
        }
    }

    private func wrongType(_ fault: cjson_fault) -> String {
        let entry = tree.entries[Int(fault.field)]
        let found =
            switch fault.found {
            case .object: "an object"
            case .array: "an array"
            case .text: "a string"
            case .boolean: "a boolean"
            case .null: "null"
            case .number: "a number"
            case .fraction: "a number with a fraction or an exponent"
            case .outOfRange: "a value out of its range"
            case .badText: "a string that is no \(entry.type.name)"
            }
        return "Field '\(entry.path)': expected \(entry.type.name), found \(found)."
    }
}
