internal import ConnectorKit

/// Reads one YAML document into positioned values, with the environment's variables filled in.
///
/// Anchors and aliases work; tags, merge keys and several documents do not. What it takes is bounded: bytes, depth,
/// and nodes counted with every alias expanded, so that a small file cannot unfold into a large one.
struct YAMLReader {
    static let bytesMax = 1 << 20
    static let depthMax = 64
    static let nodesMax = 100_000

    private(set) var issues: [LintIssue] = []
    private let file: String
    private let lines: YAMLLines
    private var variables: VariableFiller
    private let events: YAMLEvents
    private var anchors: [String: (value: ConfigValue, nodes: Int)] = [:]
    /// Anchors whose node is not complete yet: an alias to one would be a loop.
    private var openAnchors: Set<String> = []
    private var nodes = 0

    /// The document, and everything that is wrong with its form. No value: it is not YAML, or too large.
    static func read(
        _ bytes: [UInt8], file: String, environment: ConfigEnvironment
    ) -> (value: ConfigValue?, issues: [LintIssue]) {
        func only(_ message: String, _ mark: YAMLMark = YAMLMark(line: 0, column: 0)) -> (ConfigValue?, [LintIssue]) {
            let place = ConfigPlace(file: file, line: mark.line + 1, column: mark.column + 1)
            return (nil, [LintIssue(at: place, path: "", message)])
        }
        guard bytes.count <= bytesMax else { return only("the file is larger than \(bytesMax >> 10) KiB") }
        do {
            var reader = try YAMLReader(bytes, file: file, environment: environment)
            do {
                let value = try reader.document()
                return (value, reader.issues + reader.variables.issues)
            } catch {
                let last = only(error.message, error.mark).1
                return (nil, reader.issues + reader.variables.issues + last)
            }
        } catch {
            return only(error.message, error.mark)
        }
    }

    private init(_ bytes: [UInt8], file: String, environment: ConfigEnvironment) throws(YAMLProblem) {
        self.file = file
        lines = YAMLLines(bytes)
        variables = VariableFiller(environment: environment)
        events = try YAMLEvents(bytes)
    }

    private mutating func document() throws(YAMLProblem) -> ConfigValue {
        guard case .documentStart = try events.next() else {
            throw YAMLProblem(message: "the file is empty", mark: YAMLMark(line: 0, column: 0))
        }
        let value = try node(try events.next(), depth: 0)
        _ = try events.next()
        if case .documentStart(let mark) = try events.next() {
            throw YAMLProblem(message: "a second document begins: one file is one pipeline", mark: mark)
        }
        return value
    }

    private mutating func node(_ event: YAMLEvent, depth: Int) throws(YAMLProblem) -> ConfigValue {
        switch event {
        case .scalar(let scalar):
            try count(1, scalar.start)
            refuse(tag: scalar.tag, scalar.start)
            let value = value(of: scalar)
            if let anchor = scalar.anchor { anchors[anchor] = (value, 1) }
            return value
        case .alias(let name, let mark):
            guard !openAnchors.contains(name), let anchor = anchors[name] else {
                throw YAMLProblem(message: "no anchor \(quoted(name)) before this alias", mark: mark)
            }
            try count(anchor.nodes, mark)
            return anchor.value
        case .listStart(let anchor, let tag, let mark):
            refuse(tag: tag, mark)
            return try collection(anchor, mark, depth) { reader throws(YAMLProblem) in .list(try reader.elements(depth))
            }
        case .mapStart(let anchor, let tag, let mark):
            refuse(tag: tag, mark)
            return try collection(anchor, mark, depth) { reader throws(YAMLProblem) in .map(try reader.entries(depth)) }
        case .documentStart, .documentEnd, .listEnd, .mapEnd, .streamEnd:
            throw YAMLProblem(message: "unexpected end", mark: YAMLMark(line: 0, column: 0))
        }
    }

    private mutating func collection(
        _ anchor: String?, _ mark: YAMLMark, _ depth: Int,
        _ body: (inout YAMLReader) throws(YAMLProblem) -> ConfigValue.Content
    ) throws(YAMLProblem) -> ConfigValue {
        guard depth < Self.depthMax else {
            throw YAMLProblem(message: "nested deeper than \(Self.depthMax) levels", mark: mark)
        }
        let before = nodes
        try count(1, mark)
        if let anchor { openAnchors.insert(anchor) }
        let value = ConfigValue(try body(&self), at: place(mark))
        if let anchor {
            openAnchors.remove(anchor)
            anchors[anchor] = (value, nodes - before)
        }
        return value
    }

    private mutating func elements(_ depth: Int) throws(YAMLProblem) -> [ConfigValue] {
        var result: [ConfigValue] = []
        while true {
            let event = try events.next()
            if case .listEnd = event { return result }
            result.append(try node(event, depth: depth + 1))
        }
    }

    private mutating func entries(_ depth: Int) throws(YAMLProblem) -> [ConfigEntry] {
        var result: [ConfigEntry] = []
        var seen: [String: ConfigPlace] = [:]
        while true {
            let event = try events.next()
            if case .mapEnd = event { return result }
            guard case .scalar(let key) = event else {
                throw YAMLProblem(message: "a key must be plain text", mark: Self.mark(of: event))
            }
            try count(1, key.start)
            refuse(tag: key.tag, key.start)
            let value = try node(try events.next(), depth: depth + 1)
            if let first = seen[key.text] {
                let message = "the key \(quoted(key.text)) was given already in line \(first.line)"
                issues.append(LintIssue(at: place(key.start), path: "", message))
                continue
            }
            seen[key.text] = place(key.start)
            result.append(ConfigEntry(key.text, at: place(key.start), value))
        }
    }

    private mutating func value(of scalar: YAMLScalar) -> ConfigValue {
        let place = place(scalar.start)
        if scalar.style == .plain, ["", "~", "null", "Null", "NULL"].contains(scalar.text) {
            return ConfigValue(.null, at: place)
        }
        let text = variables.filled(scalar.text, at: place)
        let firstLine = lines.firstLine(of: scalar).map(self.place)
        return ConfigValue(.scalar(ConfigScalar(text, written: scalar.text, firstLine: firstLine)), at: place)
    }

    private mutating func refuse(tag: String?, _ mark: YAMLMark) {
        guard let tag else { return }
        issues.append(LintIssue(at: place(mark), path: "", "the tag \(quoted(tag)) is not supported: leave it out"))
    }

    private mutating func count(_ more: Int, _ mark: YAMLMark) throws(YAMLProblem) {
        nodes += more
        guard nodes <= Self.nodesMax else {
            throw YAMLProblem(message: "more than \(Self.nodesMax) values, aliases counted in full", mark: mark)
        }
    }

    private func place(_ mark: YAMLMark) -> ConfigPlace {
        ConfigPlace(file: file, line: mark.line + 1, column: mark.column + 1)
    }

    private static func mark(of event: YAMLEvent) -> YAMLMark {
        switch event {
        case .listStart(_, _, let mark), .mapStart(_, _, let mark), .alias(_, let mark), .documentStart(let mark): mark
        default: YAMLMark(line: 0, column: 0)
        }
    }
}
