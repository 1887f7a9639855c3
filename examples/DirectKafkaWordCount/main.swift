// Counts the words of each batch of a Kafka topic and writes the counts to another, exactly once: Spark's
// DirectKafkaWordCount. See README.md.
import DStreams

let arguments: Arguments
do {
    arguments = try Arguments(CommandLine.arguments.dropFirst(), environment: environmentVariable)
} catch {
    complain("\(error.message)\n\n\(Arguments.usage)")
    exitProgram(2)
}
if arguments.wantsHelp {
    print(Arguments.usage)
    exitProgram(0)
}

var options = StreamingOptions()
options.start = arguments.start
options.stateFolder = arguments.stateFolder
options.log = StandardErrorLog()
let kafka = KafkaSettings(brokers: arguments.brokers)
let context = StreamingContext(
    query: arguments.query, batchInterval: arguments.interval, kafka: kafka, options: options)
context.kafkaStream(topics: arguments.inputs)
    .flatMap { $0.text.split(separator: " ").map(String.init) }
    .map { ($0, 1) }
    .reduceByKey(+)
    .saveToKafka(arguments.output) { word, count in Record(key: word, value: "\(count)") }

context.onBatchCompleted { batch in
    complain("batch \(batch.epoch): \(batch.counts.read) lines, \(batch.counts.written) counts in \(batch.totalTime)")
}
let signals = StopSignals(after: arguments.duration) { context.stop() }
do {
    try await context.run()
} catch {
    complain("\(error)")
    exitProgram(1)
}
withExtendedLifetime(signals) {}
