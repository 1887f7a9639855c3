import StreamCore
import StreamService
import Testing

@Suite("Logs")
struct LogTests {
    @Test("a line on a terminal has time, level, message and quoted fields, in colour")
    func terminal() {
        let written = Collected<String>()
        let clock = HandClock()
        let screen = TerminalScreen.collecting(written, isTerminal: true)
        let plain = TerminalLog(screen: screen, level: .info, environment: ["NO_COLOR": "1"], clock: clock)
        plain.warning("Could not reach a broker.", LogField("brokers", "a:1 b:2"), LogField("attempt", 3))
        plain.debug("not shown")
        // 1772368245123 ms is 2026-03-01T12:30:45.123Z.
        #expect(written.all == ["12:30:45.123 WARN  Could not reach a broker. brokers=\"a:1 b:2\" attempt=3\n"])
        let coloured = TerminalLog(screen: screen, level: .info, environment: ["NO_COLOR": ""], clock: clock)
        coloured.error("No.")
        #expect(written.all.last == "\u{1B}[2m12:30:45.123\u{1B}[0m \u{1B}[31;1mERROR\u{1B}[0m No.\n")
    }

    @Test("a file gets the date and no colour")
    func file() {
        let written = Collected<String>()
        let log = TerminalLog(
            screen: .collecting(written, isTerminal: false), level: .debug, environment: [:], clock: HandClock())
        log.debug("Begun.")
        #expect(written.all == ["2026-03-01T12:30:45.123Z DEBUG Begun.\n"])
    }

    @Test("text from outside cannot forge lines or steer the terminal")
    func controlCharacters() {
        #expect(LogText.singleLine("a\nb\r\u{1B}[2Jc\u{202E}") == "a\\nb\\r\\u{1b}[2Jc\\u{202e}")
        #expect(LogText.value("say \"x\"") == "\"say \\\"x\\\"\"")
        #expect(LogText.value("") == "\"\"")
        #expect(LogText.value("ärger") == "ärger")
    }

    @Test("the journal gets fields in capitals beside priority and message")
    func journal() {
        let sent = Collected<[String]>()
        let log = JournalLog(level: .info, query: "orders") { entries in
            sent.add(entries)
            return true
        }
        log.error("Gone.", LogField("topic", "a b"), LogField("split-id", 4), LogField("message", "m"))
        #expect(
            sent.all == [
                [
                    "MESSAGE=Gone. topic=\"a b\" split-id=4 message=m", "PRIORITY=3", "SYSLOG_IDENTIFIER=millrace",
                    "MILLRACE_QUERY=orders", "TOPIC=a b", "SPLIT_ID=4", "MILLRACE_MESSAGE=m",
                ]
            ])
    }

    @Test(arguments: [
        ("9lives", "MILLRACE_9LIVES"), ("_pid", "MILLRACE__PID"), ("", "MILLRACE_"), ("é", "MILLRACE___"),
    ])
    func journalFieldNames(name: String, expected: String) {
        #expect(JournalLog.fieldName(name) == expected)
    }

    @Test("JOURNAL_STREAM is device:inode in decimal")
    func journalStream() {
        #expect(JournalLog.matches("8:1234", device: 8, inode: 1234))
        #expect(!JournalLog.matches("8:1235", device: 8, inode: 1234))
        #expect(!JournalLog.isConnected(environment: [:]))
        #expect(!JournalLog.isConnected(environment: ["JOURNAL_STREAM": "x"]))
    }

    @Test("the same line passes once a second and says how many were held back")
    func rateLimit() {
        let inner = CollectingLog()
        let clock = HandClock()
        let log = RateLimitedLog(inner, clock: clock)
        for attempt in 1...5 { log.warning("Broker away.", LogField("attempt", attempt)) }
        log.warning("Another.")
        clock.advance(.milliseconds(999))
        log.warning("Broker away.")
        clock.advance(.milliseconds(1))
        log.warning("Broker away.")
        log.warning("Broker away.")
        log.flush()
        #expect(
            inner.lines.all == [
                "warning Broker away. attempt=1", "warning Another.", "warning Broker away. repeated=5",
                "warning Broker away. repeated=1",
            ])
    }

    @Test("a flood of different lines keeps memory bounded and loses none")
    func flood() {
        let inner = CollectingLog()
        let log = RateLimitedLog(inner, clock: HandClock())
        for number in 0..<1000 { log.info("line \(number)") }
        #expect(inner.lines.all.count == 1000)
    }

    @Test("the option wins over the environment")
    func levels() throws {
        #expect(try LogLevel.choose(option: "WARN", environment: ["MILLRACE_LOG": "debug"]) == .warning)
        #expect(try LogLevel.choose(option: nil, environment: ["MILLRACE_LOG": "debug"]) == .debug)
        #expect(try LogLevel.choose(option: nil, environment: [:]) == .info)
        #expect(throws: StreamError("INVALID_LOG_LEVEL", "")) {
            try LogLevel.choose(option: "loud", environment: [:])
        }
    }

    /// Expected values: `date -u -d @N +%FT%TZ`.
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (Int64.max, "9999-12-31T23:59:59.999Z"),
        (Int64.min, "0000-01-01T00:00:00.000Z"),
    ])
    func dates(milliseconds: Int64, expected: String) {
        #expect(WallTime.iso(milliseconds: milliseconds) == expected)
    }

    @Test("a log line goes above the status line, which comes back below it")
    func statusLine() {
        let written = Collected<String>()
        let screen = TerminalScreen.collecting(written, isTerminal: true)
        screen.show(status: "busy")
        screen.show(line: "hello")
        screen.show(status: "")
        screen.show(line: "end")
        #expect(written.all == ["busy", "\r\u{1B}[2Khello\nbusy", "\r\u{1B}[2K", "end\n"])
    }
}
