// Counts the words of a Kafka topic in windows that slide by half of their length, and writes each window's counts to
// another topic, exactly once.
import DStreams
import ExampleSupport

let arguments = Arguments(
    query: "windowed-word-count", words: 3,
    usage: """
        Usage: WindowedKafkaWordCount INPUT OUTPUT BATCHES [options]

        Reads lines from topic INPUT and writes word -> count to topic OUTPUT for each window of twice so many BATCHES,
        which slides by so many; the brokers are in MILLRACE_BROKERS.
        """)
let slide = arguments.interval * arguments.number(2)
let context = arguments.makeContext { $0.start = .earliest }
let ones: DStream<(String, Int)> = context.kafkaStream(topics: [TopicName(arguments.words[0])])
    .flatMap { $0.text.split(separator: " ").map(String.init) }
    .map { ($0, 1) }
ones.reduceByKeyAndWindow(+, inverse: -, length: slide * 2, slide: slide) { _, count in count != 0 }
    .saveToKafka(TopicName(arguments.words[1])) { word, count in Record(key: word, value: "\(count)") }
await arguments.run(context)
