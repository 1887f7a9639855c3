// Running counts by key: the words and the keyed workload of scripts/bench.
//
//   MILLRACE_BROKERS=… KeyedCount words INPUT OUTPUT --query NAME --interval 100ms
//   MILLRACE_BROKERS=… KeyedCount records INPUT OUTPUT --query NAME --interval 50ms
//
// "words" counts the ads of JSON records and writes each count that has changed. "records" writes each record with the
// number of those of its key so far, the key being its last three bytes.
import BenchSupport
import DStreams
import ExampleSupport

/// The word that is counted.
enum Words {
    private static let ad = FieldStart(#""ad_id":""#)

    static func ad(_ bytes: RawSpan) -> String? {
        bytes.withUnsafeBytes { bytes in
            ad.end(in: bytes).map { String(decoding: bytes[$0...].prefix { $0 != 0x22 }, as: UTF8.self) }
        }
    }
}

let arguments = Arguments(
    query: "keyed-count", words: 3, usage: "Usage: KeyedCount words|records INPUT OUTPUT [options]")
let context = arguments.makeContext {
    $0.start = .earliest
    $0.readsHeaders = false
}
let (input, output) = (TopicName(arguments.words[1]), TopicName(arguments.words[2]))
if arguments.words[0] == "words" {
    let total = StateSpec<String, Int, Int, (String, Int)> { word, count, state in
        let sum = (state.value ?? 0) + (count ?? 0)
        state.update(sum)
        return (word, sum)
    }
    context.kafkaStream(topics: [input])
        .compactMap { record in record.withValueBytes(Words.ad) }
        .map { ($0, 1) }
        .reduceByKey(+)
        .mapWithState(total).stream
        .saveToKafka(output) { word, count in Record(key: word, value: "\(count)") }
} else {
    let number = StateSpec<String, String, Int, String> { _, text, state in
        guard let text else { return nil }
        let count = (state.value ?? 0) + 1
        state.update(count)
        return "\(text),\(count)"
    }
    context.kafkaStream(topics: [input])
        .map { record in (String(record.text.suffix(3)), record.text) }
        .mapWithState(number).stream
        .saveToKafka(output) { Record(value: $0) }
}
await arguments.run(context)
