// Counts the words of the lines that come over a TCP connection over all batches, and goes on after a crash where it
// was: Spark's RecoverableNetworkWordCount.
import DStreams
import ExampleSupport

let arguments = Arguments(
    query: "recoverable-word-count", words: 3,
    usage: """
        Usage: RecoverableNetworkWordCount HOST PORT PREFIX [options]

        Writes the counts after each batch to PREFIX-<time>.txt; MILLRACE_BROKERS names the cluster that keeps them.
        """)
let (host, port, prefix) = (arguments.words[0], arguments.port(1), arguments.words[2])
let context = StreamingContext.recovering(
    query: arguments.query, batchInterval: arguments.interval, options: arguments.makeOptions()
) { context in
    context.socketTextStream(host: host, port: port)
        .flatMap { $0.split(separator: " ").map(String.init) }
        .map { ($0, 1) }
        .updateStateByKey { (ones: [Int], count: Int?) -> Int? in (count ?? 0) + ones.count }
        .map { "\($0.0) \($0.1)" }
        .saveAsTextFiles(prefix: prefix, suffix: "txt")
}
await arguments.run(context)
