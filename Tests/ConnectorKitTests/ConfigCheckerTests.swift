import ConnectorKit
import Testing

/// A checker on values built by hand, one line a key.
@Suite struct ConfigCheckerTests {
    private let spec = SectionSpec(
        [
            FieldSpec("name", .text, doc: "A name.", example: "x", required: true),
            FieldSpec("size", .integer(1...9), doc: "A size.", default: "3"),
            FieldSpec("share", .number(0...1), doc: "A share."),
            FieldSpec("password", .secret, doc: "A password."),
            FieldSpec("extra", .settings(isSecret: { $0.contains("key") }), doc: "More."),
            FieldSpec(
                "inner", .section(SectionSpec([FieldSpec("on", .bool, doc: "On.", default: "true")])), doc: "",
                default: "{}"),
            FieldSpec("words", .list(.choice(["red", "blue"])), doc: "Words."),
        ],
        rules: [{ $0.text("name") == "rule" ? [$0.issue(at: "name", "is ruled out")] : [] }])

    private let environment = ConfigEnvironment(variables: ["CREDENTIALS_DIRECTORY": "/run/c"]) { path in
        guard path == "/run/c/pw" || path == "/pw" else { throw FileProblem("does not exist") }
        return Array("s3cret\n".utf8)
    }

    private func map(_ pairs: [(String, ConfigValue.Content)]) -> ConfigValue {
        let entries = pairs.enumerated().map { index, pair in
            ConfigEntry(
                pair.0, at: ConfigPlace(file: "f", line: index + 1, column: 1),
                ConfigValue(pair.1, at: ConfigPlace(file: "f", line: index + 1, column: 9)))
        }
        return ConfigValue(.map(entries), at: ConfigPlace(file: "f", line: 1, column: 1))
    }

    private func scalar(_ text: String, written: String? = nil) -> ConfigValue.Content {
        .scalar(ConfigScalar(text, written: written))
    }

    private func check(_ pairs: [(String, ConfigValue.Content)]) -> (CheckedSection?, [String]) {
        var checker = ConfigChecker(environment: environment)
        let section = checker.section(map(pairs), spec, path: "")
        return (section, checker.issues.map(\.description))
    }

    @Test func readsAndFillsInDefaults() throws {
        let (section, issues) = check([("name", scalar("n")), ("share", scalar("0.5"))])
        #expect(issues == [])
        #expect(section?.text("name") == "n" && section?.integer("size") == 3 && section?.number("share") == 0.5)
        #expect(section?.section("inner")?.bool("on") == true)
        #expect(section?.wasGiven("size") == false)
    }

    @Test func collectsEverything() {
        let (_, issues) = check([
            ("nam", scalar("n")), ("size", scalar("10")), ("share", scalar("many")), ("words", .list([])),
            ("inner", .null),
            ("extra", scalar("x")),
        ])
        #expect(
            issues == [
                "f:1:1: nam: unknown field, did you mean 'name'?",
                "f:2:9: size: must be between 1 and 9, found '10'",
                "f:3:9: share: expected a number, found 'many'",
                "f:5:1: inner: has no value: expected a map of fields",
                "f:6:9: extra: expected a map of properties, found 'x'",
            ])
    }

    @Test func rulesSeeTheWhole() {
        #expect(check([("name", scalar("rule"))]).1 == ["f:1:1: name: is ruled out"])
    }

    @Test func missingFieldsNameAnExample() {
        #expect(check([]).1 == ["f:1:1: required field 'name' is missing, for example 'name: x'"])
    }

    @Test func secretsComeFromThreePlaces() {
        let place = ConfigPlace(file: "f")
        func reference(_ key: String, _ text: String) -> ConfigValue.Content {
            .map([ConfigEntry(key, at: place, .text(text, at: place))])
        }
        for content in [reference("file", "/pw"), reference("credential", "pw"), scalar("s3cret", written: "${PW}")] {
            let (section, issues) = check([("name", scalar("n")), ("password", content)])
            #expect(issues == [])
            #expect(section?.secret("password") == Secret("s3cret"))
            var dumped = ""
            dump(section, to: &dumped)
            #expect(!dumped.contains("s3cret"))
        }
        #expect(
            check([("name", scalar("n")), ("password", scalar("pw"))]).1.first?.contains(
                "warning: password: a secret stands") == true)
        #expect(
            check([("name", scalar("n")), ("password", reference("credential", "../pw"))]).1
                == ["f:2:9: password: the name of a credential has no '/'"])
        #expect(
            check([("name", scalar("n")), ("password", reference("file", "/no"))]).1
                == ["f:2:9: password: the secret's file '/no' does not exist"])
        #expect(check([("name", scalar("n")), ("password", .list([]))]).1.count == 1)
    }

    @Test func settingsHideWhatIsSecret() {
        let place = ConfigPlace(file: "f")
        let extra = ConfigValue.Content.map([
            ConfigEntry("plain", at: place, .text("1", at: place)),
            ConfigEntry("api.key", at: place, ConfigValue(scalar("hush", written: "${K}"), at: place)),
        ])
        let settings = check([("name", scalar("n")), ("extra", extra)]).0?.settings("extra")
        #expect(settings == ["plain": .text("1"), "api.key": .secret(Secret("hush"))])
    }

    @Test func messagesQuoteTheFileNotTheVariable() {
        let (_, issues) = check([("name", scalar("n")), ("size", scalar("hush", written: "${SIZE}"))])
        #expect(issues == ["f:2:9: size: expected an integer, found '${SIZE}'"])
    }

    @Test func referenceAndSchemaNameEveryField() {
        let reference = Reference.fields(spec, path: "", level: 2)
        let schema = SchemaWriter.document(spec, title: "T").text
        for field in spec.fields {
            #expect(reference.contains("| `\(field.name)` |"))
            #expect(schema.contains("\"\(field.name)\":{"))
        }
        #expect(reference.contains("## `inner`"))
        #expect(schema.contains(#""required":["name"],"additionalProperties":false"#))
    }
}
