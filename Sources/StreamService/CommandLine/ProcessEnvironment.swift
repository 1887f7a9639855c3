public import ConnectorKit

#if canImport(Glibc)
    @preconcurrency private import Glibc
#elseif canImport(Musl)
    @preconcurrency private import Musl
#endif

extension ConfigEnvironment {
    /// The variables and files of this process. To be called before any thread changes the environment; nothing here
    /// does.
    public static func process() -> ConfigEnvironment {
        var variables: [String: String] = [:]
        var entry = environ
        while let line = entry.pointee {
            let text = String(cString: line)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        return ConfigEnvironment(variables: variables)
    }
}

extension CommandOutput {
    /// Standard output and standard error.
    public static let standard = CommandOutput(out: { write($0, to: 1) }, err: { write($0, to: 2) })

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { writeBytes(descriptor, $0) }
            // A reader that went away is no reason to fail: there is nobody left to tell.
            if count < 0, errno != EINTR { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}

/// `write(2)`, under a name that the function above does not hide.
private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
