// Counts the last digits of numbers that the program itself gives, one batch after the other: Spark's QueueStream.
import DStreams
import ExampleSupport
import Synchronization

let arguments = Arguments(
    query: "queue-stream", words: 0,
    usage: """
        Usage: QueueStream [options]

        Thirty batches of the numbers from 1 to 1000; then it ends.
        """)
let context = arguments.makeContext()
let queue = BatchQueue([Array(1...1000)])
context.queueStream(queue).map { ($0 % 10, 1) }.reduceByKey(+).print()

// The next batch is given when one is done, while the query runs.
let done = Atomic<Int>(0)
context.onBatchCompleted { batch in
    guard batch.counts.read > 0 else { return }
    let count = done.wrappingAdd(1, ordering: .relaxed).newValue
    if count < 30 { queue.append(Array(1...1000)) } else { context.stop() }
}
await arguments.run(context)
