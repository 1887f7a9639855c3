import Foundation
import Testing

private let tidy = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../scripts/tidy").standardizedFileURL.path

@Suite("scripts/tidy", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/env")))
struct TidyTests {
    /// Runs it over one file of a folder and gives its messages without the last line.
    private func problems(_ path: String, _ text: String) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tidy-\(UUID().uuidString)")
        let file = folder.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try text.write(to: file, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", tidy, "--root", folder.path, "--no-format", "--docs"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let lines = output.split(separator: "\n").dropLast().map(String.init)
        #expect(process.terminationStatus == (lines.contains { !$0.contains(": note: ") } ? 1 : 0))
        return lines
    }

    @Test("what is banned is found, and only there")
    func banned() throws {
        let bad = "fatal" + "Error()"
        #expect(try problems("Sources/A/a.swift", "\(bad)\n").count == 1)
        #expect(try problems("Sources/A/a.swift", "// \(bad) is banned\nlet a = \"\(bad)\"\n").isEmpty)
        #expect(try problems("Tests/A/a.swift", "\(bad)\n").isEmpty)
        #expect(try problems("Tests/A/a.swift", "try" + "! f()\n").first?.hasPrefix("Tests/A/a.swift:1: ") == true)
        #expect(try problems("Sources/A/a.swift", "do { f() } catch " + "{ }\n").count == 1)
        #expect(try problems("Sources/A/a.swift", "// TO" + "DO: later\n").count == 1)
    }

    @Test("a C library has one importer")
    func importers() throws {
        #expect(try problems("Sources/KafkaClient/a.swift", "private import CRDKafka\n").isEmpty)
        #expect(
            try problems("Sources/Formats/a.swift", "import Glibc\nprivate import CRDKafka\n") == [
                "Sources/Formats/a.swift:2: only KafkaClient imports CRDKafka"
            ])
    }

    @Test("lengths of lines, files and functions")
    func lengths() throws {
        #expect(try problems("Sources/A/a.swift", String(repeating: "a", count: 120) + "\n").isEmpty)
        #expect(try problems("Sources/A/a.swift", String(repeating: "a", count: 121) + "\n").count == 1)
        let body = String(repeating: "    f()\n", count: 69)
        #expect(try problems("Sources/A/a.swift", "func g() {\n\(body.dropLast(8))}\n").isEmpty)
        #expect(try problems("Sources/A/a.swift", "func g() {\n\(body)}\n").count == 1)
        let lines = String(repeating: "f()\n", count: 601)
        #expect(try problems("Sources/A/a.swift", lines) == ["Sources/A/a.swift:1: 601 lines (at most 600)"])
        #expect(try problems("Tests/A/a.swift", lines).isEmpty)
    }

    @Test("what the compiler does not check needs a reason")
    func safety() throws {
        let type = "final class A: @unchecked" + " Sendable {}\n"
        #expect(try problems("Sources/A/a.swift", type).count == 1)
        #expect(try problems("Sources/A/a.swift", "// Safety: immutable.\n" + type).isEmpty)
    }

    @Test("public types and functions have doc comments; what a protocol explains needs none")
    func docs() throws {
        let good = """
            /// A.
            @frozen
            public struct A: Sequence {
                public func makeIterator() -> I { i }
                public func other() {}
            }
            /// B.
            public struct B: Hashable {
                public static func == (a: B, b: B) -> Bool { true }
            }

            """
        #expect(try problems("Sources/A/a.swift", good).isEmpty)
        let bad = good.replacing("}\n", with: "}\n    public func undocumented() {}\n", maxReplacements: 1)
            .replacing("/// B.\n", with: "").replacing(": Sequence", with: ": Sendable")
        #expect(
            try problems("Sources/A/a.swift", bad) == [
                "Sources/A/a.swift:5: public func undocumented has no doc comment",
                "Sources/A/a.swift:6: public func other has no doc comment",
                "Sources/A/a.swift:8: public struct B has no doc comment",
            ])
    }
}
