package import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Topics by name or by POSIX extended regular expression, as librdkafka's subscriptions have them.
package final class TopicSelection: Sendable {
    /// The topics to ask for; nil where an expression needs to see all.
    let names: [TopicName]?
    private let wanted: Set<TopicName>
    private let patterns: [String]

    /// The expression for topics whose whole name matches.
    package static func expression(forWhole pattern: String) -> String { "^(\(pattern))$" }

    /// Whether this stands for topics that match, and is no topic's name.
    package static func isExpression(_ text: String) -> Bool { text.hasPrefix("^") }

    /// - Throws: `invalidArgument` where an expression is none.
    package init(_ topics: [String]) throws(KafkaError) {
        wanted = Set(topics.filter { !Self.isExpression($0) }.map { TopicName($0) })
        patterns = topics.filter(Self.isExpression)
        names = patterns.isEmpty ? topics.map { TopicName($0) } : nil
        for pattern in patterns {
            guard unsafe Self.compile(pattern, { _ in true }) != nil else {
                throw KafkaError(
                    .invalidArgument, "'\(pattern)' is no POSIX extended regular expression.",
                    property: "topics-pattern")
            }
        }
    }

    package func contains(_ topic: TopicName) -> Bool {
        if wanted.contains(topic) { return true }
        if topic.text.hasPrefix("__") { return false }  // Kafka's own.
        return patterns.contains { pattern in
            unsafe Self.compile(pattern) { unsafe regexec(&$0, topic.text, 0, nil, 0) == 0 } ?? false
        }
    }

    /// Runs `body` with the compiled expression, or gives nil where it is none. Once per topic and refresh: not worth
    /// keeping.
    private static func compile(_ pattern: String, _ body: (inout regex_t) -> Bool) -> Bool? {
        var compiled = unsafe regex_t()
        guard unsafe regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0 else { return nil }
        defer { unsafe regfree(&compiled) }
        return unsafe body(&compiled)
    }
}
