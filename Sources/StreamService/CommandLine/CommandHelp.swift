extension CommandLineSpec {
    /// What `millrace --help` prints.
    var help: String {
        var text = "\(program) - \(summary)\n\nUsage: \(program) COMMAND [OPTION…]\n\nCommands:\n"
        text += Self.table(commands.map { ($0.name, $0.summary) })
        text += "\n'\(program) help COMMAND' tells more about a command.\n"
        text += "\nExit status:\n" + Self.table(exitCodes.map { ("\($0.code)", $0.meaning) })
        return text + Self.examples(examples)
    }

    /// What `millrace run --help` prints.
    func help(_ command: CommandSpec) -> String {
        var text = "\(command.summary).\n\nUsage: \(command.usage(program))\n"
        if !command.details.isEmpty { text += "\n\(command.details)\n" }
        text += "\nOptions:\n" + Self.table((command.options + [.help]).map { ($0.heading, $0.doc) })
        return text + Self.examples(command.examples)
    }

    /// Two columns; the left one is as wide as its longest cell.
    static func table(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { left, right in
            "  \(left)\(String(repeating: " ", count: width - left.count))  \(right)\n"
        }.joined()
    }

    private static func examples(_ examples: [(line: String, meaning: String)]) -> String {
        if examples.isEmpty { return "" }
        return "\nExamples:\n" + examples.map { "  # \($0.meaning)\n  \($0.line)\n" }.joined()
    }
}
