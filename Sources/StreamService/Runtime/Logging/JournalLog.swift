private import CSystemd
private import Glibc
package import StreamCore

/// Log lines for systemd's journal: `MESSAGE`, `PRIORITY` and each field under its own name in capitals.
///
/// `journalctl -o json -u millrace@orders` shows them; `journalctl MILLRACE_QUERY=orders` finds them.
package struct JournalLog: LogHandler {
    private let level: LogLevel
    private let common: [String]
    private let send: @Sendable ([String]) -> Bool

    /// - Parameters:
    ///   - query: in every line as `MILLRACE_QUERY`.
    ///   - send: takes `NAME=value` entries; the journal's own socket unless a test listens.
    package init(
        level: LogLevel, query: String?, send: @escaping @Sendable ([String]) -> Bool = JournalLog.sendToJournal
    ) {
        self.level = level
        self.send = send
        common = ["SYSLOG_IDENTIFIER=millrace"] + (query.map { ["MILLRACE_QUERY=\($0)"] } ?? [])
    }

    package func log(_ level: LogLevel, _ message: String, _ fields: [LogField]) {
        guard level >= self.level else { return }
        var text = LogText.singleLine(message)
        for field in fields { text += " \(LogText.singleLine(field.name))=\(LogText.value(field.value))" }
        var entries = ["MESSAGE=\(text)", "PRIORITY=\(level.journalPriority)"] + common
        for field in fields { entries.append("\(Self.fieldName(field.name))=\(field.value)") }
        _ = send(entries)
    }

    /// Capitals, digits and underscores, never first an underscore or a digit, at most 64 bytes: what journald accepts.
    /// A name that means something to the journal itself gets a prefix.
    package static func fieldName(_ name: String) -> String {
        var result = ""
        for byte in name.utf8.prefix(48) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): result.unicodeScalars.append(Unicode.Scalar(byte - 32))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "_"
            }
        }
        let reserved = ["MESSAGE", "MESSAGE_ID", "PRIORITY", "ERRNO", "UNIT", "DOCUMENTATION", "TID"]
        let isPlain = result.utf8.first.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } ?? false
        let taken = reserved.contains(result) || result.hasPrefix("SYSLOG_") || result.hasPrefix("CODE_")
        return isPlain && !taken ? result : "MILLRACE_\(result)"
    }

    /// True where standard error is the stream that systemd connected to the journal: `JOURNAL_STREAM` is its device
    /// and inode.
    package static func isConnected(environment: [String: String]) -> Bool {
        var info = stat()
        guard let stream = environment["JOURNAL_STREAM"], fstat(STDERR_FILENO, &info) == 0 else { return false }
        return matches(stream, device: UInt64(info.st_dev), inode: UInt64(info.st_ino))
    }

    /// Compares `device:inode` in decimal digits.
    package static func matches(_ stream: String, device: UInt64, inode: UInt64) -> Bool {
        stream == "\(device):\(inode)"
    }

    /// Hands the entries to journald. False where it does not take them.
    package static let sendToJournal: @Sendable ([String]) -> Bool = { entries in
        var bytes: [UInt8] = []
        var ranges: [Range<Int>] = []
        for entry in entries {
            let start = bytes.count
            bytes.append(contentsOf: entry.utf8)
            ranges.append(start..<bytes.count)
        }
        return bytes.withUnsafeMutableBytes { buffer in
            let vectors = ranges.map { range in
                iovec(iov_base: buffer.baseAddress.map { $0 + range.lowerBound }, iov_len: range.count)
            }
            return vectors.withUnsafeBufferPointer { sd_journal_sendv($0.baseAddress, Int32($0.count)) == 0 }
        }
    }
}
