import Foundation
import Testing

/// Runs a program and gives its exit code and everything it said.
private func run(_ path: String, _ arguments: [String] = []) throws -> (code: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

private let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL
    .path

private func isThere(_ program: String) -> Bool {
    ["/usr/bin", "/bin", "/usr/local/bin"].contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
}

@Suite("Packaging", .timeLimit(.minutes(2)))
struct PackagingTests {
    @Test(
        "systemd reads the unit without a complaint and rates it at most 1.1", .enabled(if: isThere("systemd-analyze")))
    func unit() throws {
        let result = try run("\(root)/scripts/systemd/check")
        #expect(result.code == 0, "\(result.output)")
    }

    @Test("the check sees what it is there to see", .enabled(if: isThere("systemd-analyze")))
    func unitCheck() throws {
        let unit = try String(contentsOfFile: "\(root)/scripts/systemd/millrace@.service", encoding: .utf8)
        try withFolder { folder in
            for (good, bad) in [("ProtectHome=yes", "ProtectHome=never"), ("CapabilityBoundingSet=\n", "")] {
                let path = "\(folder)/bad.service"
                try unit.replacing(good, with: bad).write(toFile: path, atomically: true, encoding: .utf8)
                #expect(try run("\(root)/scripts/systemd/check", [path]).code == 1)
            }
        }
    }

    @Test("the Dockerfile and the compose file are well-formed", .enabled(if: isThere("python3")))
    func docker() throws {
        let result = try run("\(root)/docker/check")
        #expect(result.code == 0, "\(result.output)")
    }

    @Test("installing puts files in place, twice changes nothing, and uninstalling leaves what is the user's")
    func install() throws {
        try withFolder { folder in
            let arguments = [
                "--destdir", folder, "--prefix", "/opt/m", "--sysconfdir", "/etc/x", "--binary", "/bin/true",
            ]
            #expect(try run("\(root)/scripts/install", arguments).code == 0)
            let first = try run("/usr/bin/find", [folder, "-type", "f", "-printf", "%P %m %s\n"]).output
            #expect(
                Set(first.split(separator: "\n").compactMap { $0.split(separator: " ").first }) == [
                    "opt/m/bin/millrace", "opt/m/lib/systemd/system/millrace@.service", "etc/x/millrace/example.yaml",
                    "opt/m/share/doc/millrace/LICENSE", "opt/m/share/doc/millrace/CHANGELOG.md",
                    "opt/m/share/doc/millrace/guarantees.md", "opt/m/share/doc/millrace/operations.md",
                ])
            #expect(first.contains("opt/m/bin/millrace 755 "))
            let unit = try String(
                contentsOfFile: "\(folder)/opt/m/lib/systemd/system/millrace@.service", encoding: .utf8)
            #expect(unit.contains("\nExecStart=/opt/m/bin/millrace run /etc/x/millrace/%i.yaml\n"))
            #expect(!unit.contains("/usr/local"))

            let example = "\(folder)/etc/x/millrace/example.yaml"
            try "mine".write(toFile: example, atomically: true, encoding: .utf8)
            #expect(try run("\(root)/scripts/install", arguments).code == 0)
            #expect(try String(contentsOfFile: example, encoding: .utf8) == "mine")

            for _ in 1...2 { #expect(try run("\(root)/scripts/install", arguments + ["--uninstall"]).code == 0) }
            #expect(
                try run("/usr/bin/find", [folder, "-type", "f", "-printf", "%P\n"]).output
                    == "etc/x/millrace/example.yaml\n")
        }
    }

    @Test(
        "a mistake on the command line is told, and nothing is written",
        arguments: [
            ["--prefix"], ["--colour"], ["--prefix", "relative"], ["--prefix", "/a|b"], ["--binary", "/nowhere"],
        ])
    func installMistakes(arguments: [String]) throws {
        try withFolder { folder in
            let result = try run("\(root)/scripts/install", ["--destdir", folder] + arguments)
            #expect(result.code == 2)
            #expect(result.output.hasPrefix("install: "))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "millrace-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }
}
