/// A password, a key, a token: text that no message, log line, plan or debugger's dump shows.
///
/// `reveal()` gives it to the one call that needs it. It cannot be encoded.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    public init(_ text: String) { self.text = text }

    /// The text itself, for the call that needs it.
    public func reveal() -> String { text }

    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The value of a setting that is passed through, such as a librdkafka property: plain text or a secret.
public enum SettingValue: Sendable, Hashable, CustomStringConvertible {
    case text(String)
    case secret(Secret)

    /// For the call that needs it; `description` is for everything else.
    public func reveal() -> String {
        switch self {
        case .text(let text): text
        case .secret(let secret): secret.reveal()
        }
    }

    public var description: String {
        switch self {
        case .text(let text): text
        case .secret(let secret): secret.description
        }
    }
}
