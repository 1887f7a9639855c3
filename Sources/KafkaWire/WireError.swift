/// Why bytes are not a message, or a message has no bytes.
package enum WireError: Error, Equatable, Sendable {
    /// The bytes end within a field.
    case truncated
    /// A length or count that is negative, or larger than the bytes that are left.
    case invalidLength(Int64)
    /// A variable-length number of more than 32 bits.
    case invalidVarint
    /// Text that is not UTF-8.
    case invalidText
    /// A tagged field whose contents are shorter than its length.
    case invalidTag(UInt32)
    /// Null where the version has no null.
    case unexpectedNull
    /// A text, list or byte field too long for its length prefix.
    case tooLong(Int)
    case unknownAPI(Int16)
    case unsupportedVersion(APIKey, Int16)
}

extension WireError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated: "the bytes end within a field"
        case .invalidLength(let length): "a length of \(length) is negative or beyond the end of the bytes"
        case .invalidVarint: "a variable-length number has more than 32 bits"
        case .invalidText: "a text is not UTF-8"
        case .invalidTag(let tag): "the tagged field \(tag) is shorter than its length"
        case .unexpectedNull: "a field is null that cannot be null in this version"
        case .tooLong(let length): "a field of length \(length) is too long to be sent"
        case .unknownAPI(let key): "the API key \(key) is not served"
        case .unsupportedVersion(let key, let version): "version \(version) of \(key) is not served"
        }
    }
}
