#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How many files and connections the process may have open at once.
struct OpenFileLimit {
    /// Nil is without end, or unknown.
    var openFiles: Int?

    /// Takes as many as the system allows: a broker keeps every log's files open.
    static func raised() -> OpenFileLimit {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return OpenFileLimit() }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        if setrlimit(resource, &limit) != 0 { limit.rlim_cur = before }
        return OpenFileLimit(openFiles: limit.rlim_cur == rlim_t(bitPattern: -1) ? nil : Int(clamping: limit.rlim_cur))
    }

    /// How many of `wanted` connections fit: clients may take three quarters, so that logs can always be opened.
    func connections(wanted: Int) -> Int {
        openFiles.map { min(wanted, max(1, $0 / 4 * 3)) } ?? wanted
    }
}
