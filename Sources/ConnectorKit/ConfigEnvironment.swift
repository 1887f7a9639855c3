/// What a configuration may read besides its own file: variables and files with secrets. Handed in, so that tests
/// decide.
public struct ConfigEnvironment: Sendable {
    public var variables: [String: String]
    /// The whole content of a file.
    /// - Throws: an error whose description says why it cannot be read.
    public var readFile: @Sendable (_ path: String) throws -> [UInt8]

    public init(
        variables: [String: String] = [:],
        readFile: @escaping @Sendable (String) throws -> [UInt8] = { try FileBytes.read($0) }
    ) {
        self.variables = variables
        self.readFile = readFile
    }

    /// A variable: `NAME`, else the content of the file that `NAME_FILE` names (as containers hand in secrets).
    /// - Throws: where that file cannot be read.
    public func variable(_ name: String) throws -> String? {
        if let value = variables[name] { return value }
        guard let path = variables[name + "_FILE"], !path.isEmpty else { return nil }
        return try text(ofFile: path)
    }

    /// The folder of systemd's `LoadCredential=`.
    public var credentialsFolder: String? { variables["CREDENTIALS_DIRECTORY"] }

    /// The text of a file with a secret, without the line end that editors add.
    public func text(ofFile path: String) throws -> String {
        let bytes = try readFile(path)
        guard var text = String(validating: bytes, as: UTF8.self) else { throw FileProblem("is not UTF-8 text") }
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}
