private import Glibc

/// What the process takes from the system, read from `/proc/self`. Figures that cannot be read are nil.
package struct ProcessReport: Sendable, Hashable {
    package var residentBytes: Int?
    package var virtualBytes: Int?
    /// User and system time of all threads.
    package var cpuSeconds: Double?
    package var threads: Int?
    package var openFiles: Int?
    /// The soft limit of open files.
    package var openFilesMax: Int?
    /// Seconds since 1970-01-01 UTC.
    package var startedAtSeconds: Double?

    package init() {}

    package static func read() -> ProcessReport {
        var report = ProcessReport()
        if let memory = text(of: "/proc/self/statm") {
            report.read(statm: memory, pageBytes: sysconf(Int32(_SC_PAGESIZE)))
        }
        let ticks = sysconf(Int32(_SC_CLK_TCK))
        if let stat = text(of: "/proc/self/stat") {
            report.read(stat: stat, ticksPerSecond: ticks, bootedAtSeconds: bootTime)
        }
        report.openFiles = countOpenFiles()
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            report.openFilesMax = Int(clamping: limit.rlim_cur)
        }
        return report
    }

    /// The first two figures of `statm` are the virtual and the resident size in pages.
    mutating func read(statm: String, pageBytes: Int) {
        let pages = statm.split(separator: " ").prefix(2).map { Int($0) }
        guard pages.count == 2 else { return }
        virtualBytes = pages[0].map { $0.multipliedReportingOverflow(by: pageBytes).partialValue }
        residentBytes = pages[1].map { $0.multipliedReportingOverflow(by: pageBytes).partialValue }
    }

    /// The process's name stands in brackets and may hold anything, so fields are counted from the last bracket.
    mutating func read(stat: String, ticksPerSecond: Int, bootedAtSeconds: Double?) {
        guard let bracket = stat.lastIndex(of: ")"), ticksPerSecond > 0 else { return }
        let fields = stat[stat.index(after: bracket)...].split { $0 == " " || $0 == "\n" }
        // proc(5) numbers the fields from 1; the state behind the bracket is number 3.
        func field(_ number: Int) -> Double? { fields.indices.contains(number - 3) ? Double(fields[number - 3]) : nil }
        let perSecond = Double(ticksPerSecond)
        if let user = field(14), let system = field(15) { cpuSeconds = (user + system) / perSecond }
        threads = field(20).flatMap { Int(exactly: $0) }
        if let started = field(22), let bootedAtSeconds { startedAtSeconds = bootedAtSeconds + started / perSecond }
    }

    /// From two clocks, not from `/proc/stat`: a hardened unit does not show that.
    private static var bootTime: Double {
        var wall = timespec()
        var sinceBoot = timespec()
        clock_gettime(CLOCK_REALTIME, &wall)
        clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
        return Double(wall.tv_sec - sinceBoot.tv_sec) + Double(wall.tv_nsec - sinceBoot.tv_nsec) / 1e9
    }

    private static func countOpenFiles() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Not counted: `.`, `..` and the folder that is being read.
        return max(0, count - 3)
    }

    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            let got = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if got <= 0 { break }
            bytes.append(contentsOf: chunk.prefix(got))
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
