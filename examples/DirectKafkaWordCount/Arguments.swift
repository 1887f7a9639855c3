import DStreams

/// What the command line says; the rest comes from the environment.
struct Arguments {
    var brokers: [String] = []
    var query = "word-count"
    var inputs: [TopicName] = []
    var output: TopicName = ""
    var interval = Duration.milliseconds(200)
    var duration: Duration?
    var start = StartPosition.earliest
    var stateFolder: String?
    var wantsHelp = false

    static let usage = """
        Usage: DirectKafkaWordCount --brokers HOST:PORT[,…] --input TOPIC[,…] --output TOPIC [options]
               DirectKafkaWordCount BROKERS QUERY TOPICS OUTPUT

          --brokers LIST    Kafka brokers (or MILLRACE_BROKERS)
          --input TOPICS    topics to read, one line of text a record
          --output TOPIC    where word -> count goes, one record a word and batch
          --query NAME      the query's identity: consumer group and transactional ids (default: word-count)
          --interval TIME   the batches' length (default: 200ms)
          --for TIME        stop after this long
          --start WHERE     earliest (default) or latest, where there is no progress yet
          --state-dir PATH  keeps the instance's identity over restarts (or MILLRACE_STATE_DIR)
          --help            this text

        Times: 200ms, 5s, 2m. Ends at SIGTERM and SIGINT, after the batch that is open.
        Exit codes: 0 done, 1 failed, 2 usage.

        Example: DirectKafkaWordCount --brokers localhost:9092 --input lines --output word-counts --for 20s
        """

    init(_ words: some Sequence<String>, environment: (String) -> String?) throws(UsageError) {
        brokers = Self.list(environment("MILLRACE_BROKERS") ?? "")
        stateFolder = environment("MILLRACE_STATE_DIR")
        var positional: [String] = []
        var rest = Array(words)[...]
        while let word = rest.popFirst() {
            if word == "--help" || word == "-h" {
                wantsHelp = true
                return
            }
            guard word.hasPrefix("--") else {
                positional.append(word)
                continue
            }
            guard let value = rest.popFirst() else { throw UsageError("\(word) needs a value.") }
            try set(word, value)
        }
        try setPositional(positional)
        if brokers.isEmpty { throw UsageError("No broker is named: give --brokers or set MILLRACE_BROKERS.") }
        if inputs.isEmpty { throw UsageError("No topic is named: give --input.") }
        if output.text.isEmpty { throw UsageError("No topic for the counts is named: give --output.") }
    }

    private mutating func set(_ option: String, _ value: String) throws(UsageError) {
        switch option {
        case "--brokers": brokers = Self.list(value)
        case "--query": query = value
        case "--input": inputs = Self.list(value).map { TopicName($0) }
        case "--output": output = TopicName(value)
        case "--interval": interval = try Self.time(option, value)
        case "--for": duration = try Self.time(option, value)
        case "--state-dir": stateFolder = value
        case "--start":
            switch value {
            case "earliest": start = .earliest
            case "latest": start = .latest
            default: throw UsageError("--start takes earliest or latest, not '\(value)'.")
            }
        default: throw UsageError("\(option) is not known.")
        }
    }

    /// As Spark's example takes them: brokers, group, topics; and where the counts go.
    private mutating func setPositional(_ words: [String]) throws(UsageError) {
        if words.isEmpty { return }
        guard words.count == 4 else { throw UsageError("Give BROKERS QUERY TOPICS OUTPUT, or options alone.") }
        brokers = Self.list(words[0])
        query = words[1]
        inputs = Self.list(words[2]).map { TopicName($0) }
        output = TopicName(words[3])
    }

    private static func list(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }

    private static func time(_ option: String, _ text: String) throws(UsageError) -> Duration {
        let digits = text.prefix { $0.isNumber }
        // A week at most: more is a slip, and nothing here can overflow.
        guard let number = Int64(digits), number > 0, number <= 604_800_000 else {
            throw UsageError("\(option) takes a time such as 200ms or 5s, not '\(text)'.")
        }
        switch text.dropFirst(digits.count) {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        default: throw UsageError("\(option) takes a time such as 200ms or 5s, not '\(text)'.")
        }
    }
}

struct UsageError: Error {
    var message: String
    init(_ message: String) { self.message = message }
}
