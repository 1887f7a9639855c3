import EngineSimulation
import StreamCore

/// What the command line says.
struct Options {
    var seeds: UInt64 = 10_000
    var from: UInt64 = 1
    var scenarios = Scenario.allCases
    var clusters = ClusterKind.allCases
    var replay: UInt64?
    var breakages: ProtocolBreakage = []
    var mutation: String?
    var isJSON = false
    var isSelfTest = false
    var workers = 2
    /// For the local state of some runs.
    var folder = "/tmp"

    static let usage = """
        usage: millrace-simulate [--seeds N] [--from SEED] [--scenario NAME] [--cluster NAME] [--replay SEED]
                                 [--mutation NAME] [--self-test] [--workers N] [--folder DIR] [--json]
        scenarios: \(Scenario.allCases.map(\.rawValue).joined(separator: ", "))
        clusters: \(ClusterKind.allCases.map(\.rawValue).joined(separator: ", "))
        mutations: \(ProtocolBreakage.all.map(\.name).joined(separator: ", "))
        """

    struct Complaint: Error, CustomStringConvertible { var description: String }

    init(_ arguments: ArraySlice<String>) throws {
        var rest = arguments
        while let name = rest.popFirst() {
            switch name {
            case "--json": isJSON = true
            case "--self-test": isSelfTest = true
            default: try set(name, &rest)
            }
        }
    }

    private mutating func set(_ name: String, _ rest: inout ArraySlice<String>) throws {
        guard let text = rest.popFirst() else { throw Complaint(description: "\(name) needs a value") }
        switch name {
        case "--seeds": seeds = max(1, min(try Self.number(name, text), 1 << 40))
        case "--from": from = min(try Self.number(name, text), 1 << 60)
        case "--workers": workers = max(1, Int(min(try Self.number(name, text), 256)))
        case "--replay": replay = try Self.number(name, text)
        case "--folder": folder = text
        case "--scenario":
            guard let scenario = Scenario(rawValue: text) else {
                throw Complaint(description: "no scenario is called \(text)")
            }
            scenarios = [scenario]
        case "--cluster":
            guard let kind = ClusterKind(rawValue: text) else {
                throw Complaint(description: "no cluster is called \(text)")
            }
            clusters = [kind]
        case "--mutation":
            guard let found = ProtocolBreakage.all.first(where: { $0.name == text }) else {
                throw Complaint(description: "no mutation is called \(text)")
            }
            mutation = text
            breakages = found.breakage
        default: throw Complaint(description: "unknown option \(name)")
        }
    }

    private static func number(_ name: String, _ text: String) throws -> UInt64 {
        guard let number = UInt64(text) else { throw Complaint(description: "\(name) takes a number, not \(text)") }
        return number
    }
}
