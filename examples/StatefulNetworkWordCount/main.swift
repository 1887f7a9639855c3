// Counts the words of the lines that come over a TCP connection, over all batches: Spark's StatefulNetworkWordCount.
import DStreams
import ExampleSupport

let arguments = Arguments(
    query: "stateful-network-word-count", words: 2,
    usage: """
        Usage: StatefulNetworkWordCount HOST PORT [options]

        The counts are kept in Kafka: MILLRACE_BROKERS names the cluster. Start a server first (nc -lk 9999), then:
        StatefulNetworkWordCount localhost 9999
        """)
let context = arguments.makeContext()
let spec = StateSpec<String, Int, Int, (String, Int)> { word, one, count in
    let sum = (count.value ?? 0) + (one ?? 0)
    count.update(sum)
    return (word, sum)
}.initialState(["hello": 1, "world": 1])
context.socketTextStream(host: arguments.words[0], port: arguments.port(1))
    .flatMap { $0.split(separator: " ").map(String.init) }
    .map { ($0, 1) }
    .mapWithState(spec).stream
    .print()
await arguments.run(context)
