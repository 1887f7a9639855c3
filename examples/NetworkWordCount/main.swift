// Counts the words of the lines that come over a TCP connection, batch by batch: Spark's NetworkWordCount.
import DStreams
import ExampleSupport

let arguments = Arguments(
    query: "network-word-count", words: 2,
    usage: """
        Usage: NetworkWordCount HOST PORT [options]

        Start a server first (nc -lk 9999), then: NetworkWordCount localhost 9999
        """)
let context = arguments.makeContext()
context.socketTextStream(host: arguments.words[0], port: arguments.port(1))
    .flatMap { $0.split(separator: " ").map(String.init) }
    .map { ($0, 1) }
    .reduceByKey(+)
    .print()
await arguments.run(context)
