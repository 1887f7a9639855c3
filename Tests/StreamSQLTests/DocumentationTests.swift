import Foundation
import StreamSQL
import Testing

@Suite("docs/sql.md")
struct DocumentationTests {
    /// What the parser turns syntax into; no user writes these as calls.
    private static let hidden: Set<String> = ["array_member", "decode_charset"]

    /// The list of functions in the documentation is the list of functions that there are, both ways.
    @Test func everyFunctionIsListed() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/sql.md").standardizedFileURL
        let text = try String(contentsOf: file, encoding: .utf8)
        let parts = text.components(separatedBy: "<!-- functions -->")
        try #require(parts.count == 3, "the list stands between two marks '<!-- functions -->'")
        // Every second piece between back-ticks is code.
        let words = parts[1].components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        let listed = Set(words)
        let known = Set(SQLFunctions.names).subtracting(Self.hidden)
        #expect(known.subtracting(listed).sorted() == [], "functions that docs/sql.md does not list")
        #expect(listed.subtracting(known).sorted() == [], "docs/sql.md lists what is no function")
        #expect(words.count == listed.count, "docs/sql.md lists a function twice")
    }
}
