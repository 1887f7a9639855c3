// Keeps one state of 100 bytes for each input record: the state workload of scripts/bench.
//
//   MILLRACE_BROKERS=… StateLoad INPUT OUTPUT disk|memory MEGABYTES --query NAME --state-dir PATH
//
// Writes "committed N" to its log for each committed batch of N records.
import DStreams
import ExampleSupport

let arguments = Arguments(
    query: "state-load", words: 4, usage: "Usage: StateLoad INPUT OUTPUT disk|memory MEGABYTES [options]")
let context = arguments.makeContext {
    $0.start = .earliest
    $0.readsHeaders = false
    $0.stateBackend = arguments.words[2] == "memory" ? .memory : .disk
    $0.memoryBytes = arguments.number(3) << 20
    // A backlog goes through the shuffle in batches that fit the memory.
    $0.offsetsPerBatchMax = 100_000
}
let spec = StateSpec<Int64, String, String, Int> { _, value, state in
    if let value { state.update(value) }
    return nil
}
let states = context.kafkaStream(topics: [TopicName(arguments.words[0])])
    .map { record in
        (Int64(record.partition.number) << 40 | record.offset.number, String(Substring(record.text.utf8.prefix(100))))
    }
    .mapWithState(spec).stream
states.count().saveToKafka(TopicName(arguments.words[1])) { Record(value: "\($0)") }
context.onBatchCompleted { progress in
    if progress.counts.read > 0 { complain("committed \(progress.counts.read)") }
}
await arguments.run(context)
