// Counts words as NetworkWordCount does, with a receiver of its own: Spark's CustomReceiver.
import DStreams
import ExampleSupport

let arguments = Arguments(
    query: "custom-receiver", words: 2,
    usage: """
        Usage: CustomReceiver HOST PORT [options]

        Start a server first (nc -lk 9999), then: CustomReceiver localhost 9999
        """)
let context = arguments.makeContext()
context.receiverStream(LineReceiver(host: arguments.words[0], port: arguments.port(1)), name: "lines")
    .flatMap { $0.text.split(separator: " ").map(String.init) }
    .map { ($0, 1) }
    .reduceByKey(+)
    .print()
await arguments.run(context)
