import ConnectorKit
import StreamCore
import Testing

@testable import StreamService

/// What is written about the configuration is what the specs say.
@Suite struct ConfigReferenceTests {
    /// The package's root, from this file's place.
    private static let root = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 }

    private func text(_ path: String) throws -> String {
        String(decoding: try FileBytes.read("\(Self.root)/\(path)"), as: UTF8.self)
    }

    @Test(arguments: PipelineReference.pages(BuiltinConnectors.registry).map(\.path))
    func docsAreAsGenerated(path: String) throws {
        let page = PipelineReference.pages(BuiltinConnectors.registry).first { $0.path == path }
        // Else: `millrace connectors --docs docs`.
        #expect(try text("docs/\(path)") == page?.text)
    }

    @Test(arguments: BuiltinConnectors.registry.specs.map(\.name))
    func examplesAreRight(name: String) throws {
        let checks = Commands.builtin(environment: ConfigEnvironment()).checks
        let sample = PipelineSample(variables: ["MILLRACE_BROKERS": "b:1"], checks: checks)
        #expect(sample.issues(try text("connectors/\(name)/example.yaml")) == [])
    }

    @Test(arguments: BuiltinConnectors.registry.specs.map(\.name))
    func piecesInSpecsAreRight(name: String) throws {
        let spec = try #require(BuiltinConnectors.registry.spec(name))
        var yaml = "name: q\nquery: SELECT 1\n" + spec.example + "\n"
        if !yaml.contains("sources:") { yaml += "sources: { s: { kafka: { topics: [t] }, format: raw } }\n" }
        if !yaml.contains("sinks:") { yaml += "sinks: { o: { kafka: { topic: o } } }\n" }
        #expect(PipelineSample(variables: ["MILLRACE_BROKERS": "b:1"]).issues(yaml) == [])
    }

    @Test func everyDefaultIsRight() {
        for spec in BuiltinConnectors.registry.specs {
            for section in [spec.source?.settings, spec.sink?.settings].compactMap(\.self) { check(section) }
        }
        check(PipelineSpec.section(BuiltinConnectors.registry))
    }

    private func check(_ section: SectionSpec) {
        let place = ConfigPlace(file: "f")
        for field in section.fields {
            #expect(!field.doc.isEmpty)
            if case .section(let inner) = field.type { check(inner) }
            guard let text = field.defaultText, text != "{}" else { continue }
            var checker = ConfigChecker(environment: ConfigEnvironment())
            _ = checker.check(.text(text, at: place), field.type, path: field.name)
            #expect(checker.issues.isEmpty)
        }
    }
}
