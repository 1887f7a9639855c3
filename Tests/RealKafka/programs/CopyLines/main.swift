// Copies lines to text files and to a topic, for the tests: from files that come into a folder, or from a server that
// hears of every line when it is safe.
//
//   CopyLines files FOLDER PREFIX TOPIC   or   CopyLines HOST:PORT FOLDER PREFIX TOPIC (the folder is not looked at)
//
// Writes "committed N" to its log for each committed batch of N lines.
import DStreams
import ExampleSupport

let arguments = Arguments(query: "copy-lines", words: 4, usage: "Usage: CopyLines files|HOST:PORT FOLDER PREFIX TOPIC")
let context = arguments.makeContext { $0.start = .earliest }
let lines: DStream<String>
if arguments.words[0] == "files" {
    lines = context.fileStream(arguments.words[1], newFilesOnly: false).map { $0.text }
} else {
    let address = arguments.words[0].split(separator: ":")
    guard address.count == 2, let port = UInt16(address[1]) else {
        complain("HOST:PORT, not \(arguments.words[0])")
        exitProgram(2)
    }
    lines = context.receiverStream(AcknowledgingReceiver(host: String(address[0]), port: port), name: "lines")
        .map { $0.text }
}
lines.saveAsTextFiles(prefix: arguments.words[2], suffix: "txt")
lines.saveToKafka(TopicName(arguments.words[3])) { Record(value: $0) }
context.onBatchCompleted { progress in
    if progress.counts.read > 0 { complain("committed \(progress.counts.read)") }
}
await arguments.run(context)
