/// A strict reader of Prometheus' text format: anything that a scraper could stumble over is an error.
struct PrometheusParser {
    struct Sample: Equatable {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private(set) var types: [String: String] = [:]
    private(set) var helps: Set<String> = []
    private(set) var samples: [Sample] = []

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Failure(description: "the last line does not end") }
        var open: String?
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                guard words.count == 4, helps.insert(words[2]).inserted else {
                    throw Failure(description: "bad help: \(line)")
                }
            } else if line.hasPrefix("# TYPE ") {
                guard words.count == 4, types[words[2]] == nil, helps.contains(words[2]),
                    ["counter", "gauge", "histogram"].contains(words[3])
                else { throw Failure(description: "bad type: \(line)") }
                types[words[2]] = words[3]
                open = words[2]
            } else {
                let sample = try Self.sample(Substring(line))
                // Every sample stands in the block of its family.
                guard let open, Self.family(sample.name, types) == open else {
                    throw Failure(description: "not in its family's block: \(line)")
                }
                guard !samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
                    throw Failure(description: "twice: \(line)")
                }
                if types[open] == "counter", !(sample.value >= 0 && sample.name.hasSuffix("_total")) {
                    throw Failure(description: "bad counter: \(line)")
                }
                samples.append(sample)
            }
        }
        for (name, type) in types where type == "histogram" { try checkHistogram(name) }
    }

    func value(_ name: String, _ labels: [String: String] = ["query": "orders"]) -> Double? {
        samples.first { $0.name == name && $0.labels == labels }?.value
    }

    private static func family(_ name: String, _ types: [String: String]) -> String {
        for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
            let base = String(name.dropLast(suffix.count))
            if types[base] == "histogram" { return base }
        }
        return name
    }

    private func checkHistogram(_ name: String) throws {
        let buckets = samples.filter { $0.name == name + "_bucket" }
        let counts = buckets.map(\.value)
        let bounds = buckets.map { Double($0.labels["le"] ?? "") ?? .nan }
        let count = samples.first { $0.name == name + "_count" }?.value
        let isSorted = zip(counts, counts.dropFirst()).allSatisfy(<=) && zip(bounds, bounds.dropFirst()).allSatisfy(<)
        guard isSorted, bounds.last == .infinity, counts.last == count,
            samples.contains(where: { $0.name == name + "_sum" })
        else { throw Failure(description: "bad histogram \(name)") }
    }

    /// `name{label="value",...} number`
    private static func sample(_ line: Substring) throws -> Sample {
        var rest = line
        let name = take(&rest) { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
        guard !name.isEmpty, name.first?.isNumber == false else { throw Failure(description: "bad name: \(line)") }
        var labels: [String: String] = [:]
        if rest.first == "{" {
            repeat {
                rest.removeFirst()
                let label = take(&rest) { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
                guard !label.isEmpty, rest.hasPrefix("=\""), labels[label] == nil else {
                    throw Failure(description: "bad label: \(line)")
                }
                rest.removeFirst(2)
                labels[label] = try quoted(&rest)
            } while rest.first == ","
            guard rest.first == "}" else { throw Failure(description: "labels do not end: \(line)") }
            rest.removeFirst()
        }
        guard rest.first == " ", let value = Double(rest.dropFirst().replacing("Inf", with: "infinity")) else {
            throw Failure(description: "bad value: \(line)")
        }
        return Sample(name: name, labels: labels, value: value)
    }

    private static func take(_ rest: inout Substring, while matches: (Character) -> Bool) -> String {
        let head = rest.prefix(while: matches)
        rest.removeFirst(head.count)
        return String(head)
    }

    /// Reads up to and over the closing quote.
    private static func quoted(_ rest: inout Substring) throws -> String {
        var value = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return value
            case "\\":
                switch rest.popFirst() {
                case "n"?: value += "\n"
                case "\\"?: value += "\\"
                case "\""?: value += "\""
                default: throw Failure(description: "bad escape")
                }
            default: value.append(character)
            }
        }
        throw Failure(description: "text does not end")
    }
}
