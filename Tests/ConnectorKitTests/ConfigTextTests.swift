import ConnectorKit
import Testing

@Suite struct ConfigTextTests {
    @Test(arguments: [
        ("topik", "topic"), ("topics", "topic"), ("start_at", nil), ("ky", "key"), ("KEY", "key"),
        ("on_data_loss", "on-data-loss"),
        ("tpoic", "topic"), ("", nil), (String(repeating: "x", count: 100_000), nil),
    ])
    func suggestsTheNearest(word: String, expected: String?) {
        #expect(Suggestion.nearest(to: word, among: ["topic", "key", "on-data-loss"]) == expected)
    }

    @Test func quotingIsSafeForTerminals() {
        #expect(quoted("a\u{1B}[31mb\nc\td") == "'a\\u{1b}[31mb\\nc\\td'")
        #expect(quoted("x\u{202E}y") == "'x\\u{202e}y'")
        #expect(quoted(String(repeating: "ä", count: 100), limit: 3) == "'äää…'")
    }

    @Test func secretsShowNowhere() {
        let secret = Secret("hush")
        var dumped = ""
        dump([secret], to: &dumped)
        for text in [
            "\(secret)", String(reflecting: secret), String(describing: [secret]), "\(SettingValue.secret(secret))",
            String(reflecting: SettingValue.secret(secret)), dumped,
        ] {
            #expect(!text.contains("hush"))
        }
        #expect(secret.reveal() == "hush" && SettingValue.secret(secret).reveal() == "hush")
    }

    @Test func writesJSON() {
        let value: JSONText = ["a": [1, true, "q\"\\\n\u{1}"], "e": [], "n": .number(.nan)]
        #expect(value.text == #"{"a":[1,true,"q\"\\\n\u0001"],"e":[],"n":null}"#)
        #expect(
            value.prettyText
                == "{\n  \"a\": [\n    1,\n    true,\n    \"q\\\"\\\\\\n\\u0001\"\n  ],\n  \"e\": [],\n  \"n\": null\n}"
        )
    }

    @Test func variablesComeFromFilesToo() throws {
        let environment = ConfigEnvironment(variables: ["A": "a", "B_FILE": "/b", "C_FILE": ""]) { path in
            guard path == "/b" else { throw FileProblem("does not exist") }
            return Array("from file\r\n".utf8)
        }
        #expect(try environment.variable("A") == "a")
        #expect(try environment.variable("B") == "from file")
        #expect(try environment.variable("C") == nil)
    }

    @Test func issuesAreOneLine() {
        let issue = LintIssue(
            at: ConfigPlace(file: "pipeline.yaml", line: 14, column: 5), path: "sinks.out.topik", "unknown field")
        #expect(issue.description == "pipeline.yaml:14:5: sinks.out.topik: unknown field")
        let warning = LintIssue(.warning, at: ConfigPlace(file: "p", line: 1, column: 1), path: "", "odd")
        #expect(warning.description == "p:1:1: warning: odd")
        #expect([issue, warning].inFileOrder() == [warning, issue])
        #expect([issue].hasErrors && ![warning].hasErrors)
    }
}
