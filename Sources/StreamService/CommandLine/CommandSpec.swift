/// A command of the program, declared: parsing, help and messages come from here.
struct CommandSpec: Sendable {
    var name: String
    /// One line.
    var summary: String
    /// What stands behind the options, for help: `FILE…`.
    var argumentsName: String = ""
    var arguments: ClosedRange<Int> = 0...0
    var options: [OptionSpec] = []
    /// More about it, in whole paragraphs.
    var details: String = ""
    var examples: [(line: String, meaning: String)] = []

    /// `millrace run FILE [OPTION…]`
    func usage(_ program: String) -> String {
        var text = "\(program) \(name)"
        if !argumentsName.isEmpty { text += " \(argumentsName)" }
        if !options.isEmpty { text += " [OPTION…]" }
        return text
    }
}

/// An option of a command: a flag, or one with a value (`--for 20s`, `--for=20s`).
struct OptionSpec: Sendable {
    var name: String
    /// What the value is called in help; nil: a flag.
    var valueName: String?
    var doc: String
    /// What is wrong with a value, or nil.
    var complaint: @Sendable (String) -> String? = { _ in nil }

    /// `--for DURATION`
    var heading: String { "--\(name)" + (valueName.map { " \($0)" } ?? "") }

    static let help = OptionSpec(name: "help", valueName: nil, doc: "Show this help.")
}

/// A command line that was understood.
struct CommandCall: Sendable, Hashable {
    var command: String
    var arguments: [String] = []
    /// Options with values; the last one of a name counts.
    var values: [String: String] = [:]
    var flags: Set<String> = []
}

/// A command line that was not: one line, without the program's name.
struct UsageProblem: Error, Sendable, Hashable {
    var message: String
    /// The command whose help tells more, if it was known.
    var command: String?
}

/// The program's commands.
struct CommandLineSpec: Sendable {
    var program: String
    var summary: String
    var commands: [CommandSpec]
    var exitCodes: [(code: Int32, meaning: String)]
    var examples: [(line: String, meaning: String)]

    func command(_ name: String) -> CommandSpec? { commands.first { $0.name == name } }
}
