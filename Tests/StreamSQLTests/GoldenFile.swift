import Foundation

/// The expressions with real Spark's results in section 16 of `../shared/SPARK-SEMANTICS.md`, beside the package.
struct GoldenFile {
    struct Row {
        var group: String
        var expression: String
        /// The value in the file's notation, or nil where an error is expected.
        var value: String?
        var type: String?
        var error: String?
    }

    let rows: [Row]

    static let path: String = {
        if let path = ProcessInfo.processInfo.environment["MILLRACE_SPARK_SEMANTICS"] { return path }
        var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        // The package may be checked out at any depth beside `shared`.
        for _ in 0..<6 {
            folder.deleteLastPathComponent()
            let candidate = folder.appendingPathComponent("shared/SPARK-SEMANTICS.md").path
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
        }
        return ""
    }()

    static var isPresent: Bool { FileManager.default.fileExists(atPath: path) }

    init() throws {
        let text = try String(contentsOfFile: Self.path, encoding: .utf8)
        let parts = text.components(separatedBy: "<!-- SCALAR -->")
        guard parts.count >= 3 else {
            rows = []
            return
        }
        var group = ""
        var isInside = false
        var rows: [Row] = []
        for line in parts[1].split(separator: "\n", omittingEmptySubsequences: true) {
            if line.hasPrefix("```") {
                isInside.toggle()
            } else if !isInside {
                group = line.trimmingCharacters(in: .whitespaces)
            } else if let row = Self.row(String(line), group) {
                rows.append(row)
            }
        }
        self.rows = rows
    }

    private static func row(_ line: String, _ group: String) -> Row? {
        guard let arrow = line.range(of: "  =>  ") else { return nil }
        var result = String(line[arrow.upperBound...])
        if let off = result.range(of: "   | off:") { result = String(result[..<off.lowerBound]) }
        var row = Row(group: group, expression: String(line[..<arrow.lowerBound]))
        if result.hasPrefix("!") {
            row.error = String(result.dropFirst())
        } else if let colon = result.range(of: " : ", options: .backwards) {
            row.value = String(result[..<colon.lowerBound])
            row.type = String(result[colon.upperBound...])
        }
        return row
    }
}
