// Counts the words of a Kafka topic over all batches and writes every count after each batch to another topic, exactly
// once: Spark's StatefulNetworkWordCount, over Kafka.
import DStreams
import ExampleSupport

let arguments = Arguments(
    query: "stateful-word-count", words: 2,
    usage: """
        Usage: StatefulKafkaWordCount INPUT OUTPUT [options]

        Reads lines from topic INPUT and writes word -> count to topic OUTPUT; the brokers are in MILLRACE_BROKERS.
        """)
let context = arguments.makeContext { $0.start = .earliest }
context.kafkaStream(topics: [TopicName(arguments.words[0])])
    .flatMap { $0.text.split(separator: " ").map(String.init) }
    .map { ($0, 1) }
    .updateStateByKey { (ones: [Int], count: Int?) -> Int? in (count ?? 0) + ones.count }
    .saveToKafka(TopicName(arguments.words[1])) { word, count in Record(key: word, value: "\(count)") }
await arguments.run(context)
