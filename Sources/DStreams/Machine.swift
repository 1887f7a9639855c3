// The variable for standard output is never written to here; the attribute lets it be named.
#if canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#endif

/// The machine that the process runs on.
enum Machine {
    /// Cores that are online; at least one.
    static var coreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// An environment variable, or nil where it is not set or empty.
    static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}

/// Standard output, written through at once so that a batch is seen when it happens.
enum StandardOutput {
    @Sendable
    static func write(_ text: String) {
        print(text, terminator: "")
        // This stream alone: flushing every one waits for those that a thread is reading from.
        fflush(stdout)
    }
}
