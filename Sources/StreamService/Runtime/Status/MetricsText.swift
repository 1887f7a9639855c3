/// Writes Prometheus' text format, version 0.0.4.
package struct MetricsText: Sendable {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var text = ""
    private let common: [(String, String)]

    /// - Parameter common: labels that every sample of a `millrace_` metric has.
    package init(common: [(String, String)]) { self.common = common }

    /// One sample of a family without labels of its own; nothing where the value is unknown.
    package mutating func add(_ family: MetricFamily, _ value: Double?) {
        add(family, value.map { [([], $0)] } ?? [])
    }

    package mutating func add(_ family: MetricFamily, _ value: UInt64) { add(family, Double(value)) }

    /// Several samples, each with values for the family's labels in their order. A family without samples is left out.
    package mutating func add(_ family: MetricFamily, _ samples: [(labels: [String], value: Double)]) {
        guard !samples.isEmpty else { return }
        begin(family)
        for sample in samples {
            append(family, suffix: "", Array(zip(family.labels, sample.labels)), sample.value)
        }
    }

    package mutating func add(_ family: MetricFamily, _ histogram: DurationHistogram) {
        begin(family)
        var total: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            total &+= count
            let isLast = index == DurationHistogram.bounds.count
            let bound = isLast ? "+Inf" : Self.number(DurationHistogram.bounds[index])
            append(family, suffix: "_bucket", [("le", bound)], Double(total))
        }
        append(family, suffix: "_sum", [], histogram.sumSeconds)
        append(family, suffix: "_count", [], Double(total))
    }

    private mutating func begin(_ family: MetricFamily) {
        let help = Self.escaped(family.help, quotes: false)
        text += "# HELP \(family.name) \(help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"
    }

    private mutating func append(
        _ family: MetricFamily, suffix: String, _ labels: [(String, String)], _ value: Double
    ) {
        let all = (family.name.hasPrefix("millrace_") ? common : []) + labels
        text += family.name + suffix
        if !all.isEmpty {
            let pairs = all.map { name, value in "\(name)=\"\(Self.escaped(value, quotes: true))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
