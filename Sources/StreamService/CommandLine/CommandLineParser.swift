private import ConnectorKit

extension CommandLineSpec {
    /// Understands arguments (without the program's own name). `--help` anywhere asks for help, also beside mistakes.
    func parse(_ arguments: [String]) throws(UsageProblem) -> CommandCall {
        guard let first = arguments.first else { return CommandCall(command: "help") }
        let aliases = ["--help": "help", "-h": "help", "--version": "version"]
        let name = aliases[first] ?? first
        guard let command = command(name) else {
            let isOption = first.hasPrefix("-")
            let what = isOption ? "option" : "command"
            let known = isOption ? aliases.keys.sorted() : commands.map(\.name)
            let ending = Suggestion.ending(for: first, among: known)
            throw UsageProblem(message: "unknown \(what) \(quoted(first))\(ending)")
        }
        let rest = Array(arguments.dropFirst())
        if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
            return CommandCall(command: "help", arguments: [name])
        }
        return try parse(rest, of: command)
    }

    private func parse(_ arguments: [String], of command: CommandSpec) throws(UsageProblem) -> CommandCall {
        var call = CommandCall(command: command.name)
        var rest = arguments[...]
        var takesOptions = true
        while let word = rest.popFirst() {
            if takesOptions, word == "--" {
                takesOptions = false
            } else if takesOptions, word.hasPrefix("-"), word != "-" {
                try take(word, &rest, of: command, into: &call)
            } else {
                call.arguments.append(word)
            }
        }
        guard command.arguments.contains(call.arguments.count) else {
            let isMissing = call.arguments.count < command.arguments.lowerBound
            let what =
                isMissing
                ? "\(command.argumentsName) is missing"
                : "unexpected argument \(quoted(call.arguments[command.arguments.upperBound]))"
            throw UsageProblem(message: what, command: command.name)
        }
        return call
    }

    private func take(
        _ word: String, _ rest: inout ArraySlice<String>, of command: CommandSpec, into call: inout CommandCall
    ) throws(UsageProblem) {
        let equals = word.firstIndex(of: "=")
        let written = String(word[..<(equals ?? word.endIndex)])
        let inline = equals.map { String(word[word.index(after: $0)...]) }
        guard let option = command.options.first(where: { "--\($0.name)" == written }) else {
            let known = (command.options + [.help]).map { "--\($0.name)" }
            let ending = Suggestion.ending(for: written, among: known)
            throw UsageProblem(message: "unknown option \(quoted(written))\(ending)", command: command.name)
        }
        guard let valueName = option.valueName else {
            guard inline == nil else {
                throw UsageProblem(message: "the option --\(option.name) takes no value", command: command.name)
            }
            call.flags.insert(option.name)
            return
        }
        guard let value = inline ?? rest.popFirst() else {
            throw UsageProblem(
                message: "the option --\(option.name) needs a value: \(valueName)", command: command.name)
        }
        if let complaint = option.complaint(value) {
            throw UsageProblem(message: "--\(option.name) \(quoted(value)): \(complaint)", command: command.name)
        }
        call.values[option.name] = value
    }
}
