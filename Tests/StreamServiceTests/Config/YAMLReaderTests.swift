import ConnectorKit
import StreamCore
import Testing

@testable import StreamService

@Suite struct YAMLReaderTests {
    private func read(_ text: String, _ variables: [String: String] = [:]) -> (value: ConfigValue?, issues: [String]) {
        let environment = ConfigEnvironment(variables: variables) { _ in throw FileProblem("does not exist") }
        let (value, issues) = YAMLReader.read(Array(text.utf8), file: "f", environment: environment)
        return (value, issues.map(\.description))
    }

    @Test func placesCountFromOne() throws {
        let value = try #require(read("a: 1\nb:\n  - x\n  - {ü: y, c: z}\n").value)
        #expect(value["a"]?.place == ConfigPlace(file: "f", line: 1, column: 4))
        #expect(value.map?[1].keyPlace == ConfigPlace(file: "f", line: 2, column: 1))
        let second = try #require(value["b"]?.list?.last)
        #expect(second["ü"]?.place == ConfigPlace(file: "f", line: 4, column: 9))
        #expect(second["c"]?.place == ConfigPlace(file: "f", line: 4, column: 15))
    }

    @Test func scalarsStayText() throws {
        let value = try #require(read("a: yes\nb: 010\nc: 1e3\nd: ~\ne: null\nf: 'null'\ng:\n").value)
        #expect(["a", "b", "c", "f"].map { value[$0]?.scalar?.text } == ["yes", "010", "1e3", "null"])
        #expect(["d", "e", "g"].allSatisfy { value[$0]?.isNull == true })
    }

    @Test(arguments: [
        ("", "f:1:1: the file is empty"),
        ("# only a comment\n", "f:1:1: the file is empty"),
        ("a: [", "f:2:1: not valid YAML: did not find expected node content (while parsing a flow node)"),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document begins: one file is one pipeline"),
        ("a: *b", "f:1:4: no anchor 'b' before this alias"),
        ("a: &b [*b]", "f:1:8: no anchor 'b' before this alias"),
        ("? [a]\n: b", "f:1:3: a key must be plain text"),
        ("*a : b", "f:1:1: a key must be plain text"),
        ("a: 1\nb: 2\na: 3", "f:3:1: the key 'a' was given already in line 1"),
        ("a: !!python/object x", "f:1:4: the tag 'tag:yaml.org,2002:python/object' is not supported: leave it out"),
        ("a: ${B}", "f:1:4: the environment variable B is not set; '${B:-…}' would give it a default"),
        ("a: \"${B\"", "f:1:4: '${' without '}'; write '$${' for the two characters themselves"),
        (
            "a: \"${1}\"",
            "f:1:4: '${' without a variable's name: write ${NAME}, ${NAME:-default}, or '$${' for the two "
                + "characters themselves"
        ),
    ])
    func problems(text: String, issue: String) {
        #expect(read(text).issues == [issue])
    }

    @Test func unreadableBytesHaveAPlace() {
        let (value, issues) = YAMLReader.read(
            Array("a: 1\nbü: ".utf8) + [0xFF], file: "f", environment: ConfigEnvironment())
        #expect(value == nil)
        #expect(issues.map(\.description) == ["f:2:5: not valid YAML: invalid leading UTF-8 octet"])
    }

    @Test func aliasesExpand() throws {
        let value = try #require(read("a: &x {k: v}\nb: *x\nc: [*x, *x]").value)
        #expect(value["b"]?["k"]?.scalar?.text == "v")
        #expect(value["c"]?.list?.count == 2)
    }

    @Test func aliasesDoNotUnfoldWithoutEnd() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            text +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
                + "]\n"
        }
        #expect(read(text).issues.first?.contains("more than 100000 values, aliases counted in full") == true)
    }

    @Test func depthAndSizeAreBounded() {
        let deep = "a: " + String(repeating: "[", count: 100_000)
        #expect(read(deep).issues == ["f:1:67: nested deeper than 64 levels"])
        #expect(
            read(String(repeating: "x", count: (1 << 20) + 1)).issues == ["f:1:1: the file is larger than 1024 KiB"])
    }

    @Test func variablesAreText() throws {
        let text = "a: ${X}\nb: \"p-${X}-${Y:-d}-$${X}-$\"\nc: ${E:-full}\nd: ${E}\n"
        let value = try #require(read(text, ["X": "k: [v", "E": ""]).value)
        #expect(value["a"]?.scalar?.text == "k: [v")
        #expect(value["b"]?.scalar?.text == "p-k: [v-d-${X}-$")
        #expect(value["c"]?.scalar?.text == "full")
        #expect(value["d"]?.scalar?.text == "")
    }

    @Test func variablesAreBounded() {
        let text = (0..<6).map { "a\($0): ${X}" }.joined(separator: "\n")
        #expect(
            read(text, ["X": String(repeating: "x", count: 1 << 20)]).issues.last?.contains("more than 4 MiB") == true)
    }

    /// Where the first line of a text begins, for SQL errors with file:line:column.
    @Test(arguments: [
        ("q: |\n  SELECT\n    x\n", 2, 3), ("q: |\n\n  SELECT\n", 2, 3), ("q: SELECT 1\n", 1, 4),
        ("q: 'SELECT 1'\n", 1, 5),
        ("a:\n  q: |-   # note\n      SELECT\n", 3, 7), ("q: |2\n    SELECT\n", 2, 3),
    ])
    func linesOfTextHavePlaces(text: String, line: Int, column: Int) throws {
        let value = try #require(read(text).value)
        let scalar = try #require((value["q"] ?? value["a"]?["q"])?.scalar)
        #expect(scalar.firstLine == ConfigPlace(file: "f", line: line, column: column))
    }

    @Test func foldedTextHasNone() throws {
        #expect(try #require(read("q: >\n  SELECT\n  x\n").value)["q"]?.scalar?.firstLine == nil)
        #expect(try #require(read("q: 'it''s'\n").value)["q"]?.scalar?.firstLine == nil)
    }

    /// Bytes of YAML's own kind in random order, and sound files with random bytes changed: always an answer, never a
    /// trap.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func nothingTraps(seed: UInt64) {
        var random = StableRandom(seed: seed)
        let pieces = [
            "a", "name", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ",", "&x ", "*x", "!!str ", "|\n", ">\n", "'",
            "\"", "#", "? ",
            "${A}", "${", "$$", "\t", "\u{FEFF}", "é", "\u{85}", "\r", "---\n", "...\n", "%YAML 1.1\n", "<<: ", "\\x",
            "sources", "kafka",
        ]
        let reader = PipelineReader(
            registry: BuiltinConnectors.registry, environment: ConfigEnvironment(variables: ["A": "b"]), checks: .none)
        for _ in 0..<50 {
            var bytes: [UInt8] = []
            if random.next() % 2 == 0 {
                for _ in 0..<Int(random.next() % 60) { bytes += pieces[Int(random.next() % UInt64(pieces.count))].utf8 }
            } else {
                bytes = Array(PipelineSample.orders.utf8)
                for _ in 0..<Int(random.next() % 8) {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next() >> 20)
                }
                bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
            }
            let reading = reader.read(bytes, file: "f")
            #expect((reading.config == nil) == reading.issues.hasErrors)
            for issue in reading.issues {
                #expect(issue.place.line >= 1 && issue.place.column >= 1)
                #expect(!issue.description.contains("\n"))
            }
        }
    }
}
