package import DStreams

/// The command line that the small examples share: what each needs, in order, and options for all of them.
package struct Arguments {
    package var words: [String] = []
    package var interval = Duration.seconds(1)
    package var duration: Duration?
    package var query: String
    package var stateFolder: String?

    package static let options = """
          --query NAME      the query's name: its progress is kept under it
          --interval TIME   the batches' length (default: 1s)
          --for TIME        stop after this long
          --state-dir PATH  keeps progress and what was received over restarts (or MILLRACE_STATE_DIR)
          --help            this text

        Times: 200ms, 5s, 2m. Ends at SIGTERM and SIGINT, after the batch that is open.
        Exit codes: 0 done, 1 failed, 2 usage.
        """

    /// Reads the program's command line, and prepares the process. Ends the program where it asks for help or cannot
    /// be used.
    /// - Parameters:
    ///   - usage: what the program does with how many words.
    package init(query: String, words count: Int, usage: String) {
        ProcessHeap.prepare()
        self.query = query
        stateFolder = environmentVariable("MILLRACE_STATE_DIR")
        let text = "\(usage)\n\n\(Self.options)"
        do throws(UsageError) {
            guard try parse(CommandLine.arguments.dropFirst()) else {
                print(text)
                exitProgram(0)
            }
            guard words.count == count else { throw UsageError("Give \(count) words beside options.") }
        } catch {
            complain("\(error.message)\n\n\(text)")
            exitProgram(2)
        }
    }

    /// - Returns: false: help is asked for.
    private mutating func parse(_ arguments: some Sequence<String>) throws(UsageError) -> Bool {
        var rest = Array(arguments)[...]
        while let word = rest.popFirst() {
            if word == "--help" || word == "-h" { return false }
            guard word.hasPrefix("--") else {
                words.append(word)
                continue
            }
            guard let value = rest.popFirst() else { throw UsageError("\(word) needs a value.") }
            switch word {
            case "--query": query = value
            case "--interval": interval = try Self.time(word, value)
            case "--for": duration = try Self.time(word, value)
            case "--state-dir": stateFolder = value
            default: throw UsageError("\(word) is not known.")
            }
        }
        return true
    }

    /// A word that is the number of a port. Ends the program where it is none.
    package func port(_ index: Int) -> UInt16 {
        guard let port = UInt16(words[index]), port > 0 else {
            complain("'\(words[index])' is no port.")
            exitProgram(2)
        }
        return port
    }

    /// A word that is a number from 1 to 1,000,000. Ends the program where it is none.
    package func number(_ index: Int) -> Int {
        guard let number = Int(words[index]), (1...1_000_000).contains(number) else {
            complain("'\(words[index])' is no number from 1 to 1000000.")
            exitProgram(2)
        }
        return number
    }

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

extension Arguments {
    /// Options after the command line. Without a state folder what is on its way when the process dies is lost.
    package func makeOptions() -> StreamingOptions {
        var options = StreamingOptions()
        options.stateFolder = stateFolder
        options.keepsSourcesInMemory = stateFolder == nil
        options.log = StandardErrorLog()
        return options
    }

    /// A context with these options.
    package func makeContext(_ adjust: (inout StreamingOptions) -> Void = { _ in }) -> StreamingContext {
        var options = makeOptions()
        adjust(&options)
        return StreamingContext(query: query, batchInterval: interval, options: options)
    }

    /// Runs until a signal, the end of the time that was given, or a failure, which ends the program with 1.
    package func run(_ context: StreamingContext) async {
        let signals = StopSignals(after: duration) { context.stop() }
        do {
            try await context.run()
        } catch {
            complain("\(error)")
            exitProgram(1)
        }
        withExtendedLifetime(signals) {}
    }
}
