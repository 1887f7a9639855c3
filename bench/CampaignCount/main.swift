// The window workload of scripts/bench: views per campaign in windows of 10 s of event time, as keyed state.
//
//   MILLRACE_BROKERS=… CampaignCount INPUT OUTPUT --query NAME --interval 100ms
import BenchSupport
import DStreams
import ExampleSupport

/// A campaign's window: ads are numbered, and a hundred of them share a campaign.
struct CampaignWindow: Hashable, StateCodable, Sendable {
    var campaign: Int32
    var start: Int64

    static var stateType: String { "CampaignWindow.1" }

    init(campaign: Int32, start: Int64) {
        self.campaign = campaign
        self.start = start
    }

    func encode(to writer: inout StateWriter) {
        writer.append(campaign)
        writer.append(start)
    }

    init(from reader: inout StateReader) throws(StreamError) {
        campaign = try reader.read(Int32.self)
        start = try reader.read(Int64.self)
    }
}

enum Fields {
    private static let view = FieldStart(#""event_type":"view""#)
    private static let ad = FieldStart(#""ad_id":"ad-"#)
    private static let time = FieldStart(#""event_time":""#)

    /// Nil for what is no view.
    static func campaignWindow(_ bytes: RawSpan) -> CampaignWindow? {
        bytes.withUnsafeBytes { bytes in
            guard view.end(in: bytes) != nil, let ad = ad.end(in: bytes), let time = time.end(in: bytes) else {
                return nil
            }
            return CampaignWindow(
                campaign: Int32(number(in: bytes, at: ad) % 100), start: number(in: bytes, at: time) / 10_000 * 10_000)
        }
    }
}

let arguments = Arguments(query: "campaign-count", words: 2, usage: "Usage: CampaignCount INPUT OUTPUT [options]")
let context = arguments.makeContext {
    $0.start = .earliest
    $0.memoryBytes = 1 << 30
    $0.readsHeaders = false
}
let counts: DStream<(CampaignWindow, Int)> = context.kafkaStream(topics: [TopicName(arguments.words[0])])
    .compactMap { record in record.withValueBytes(Fields.campaignWindow) }
    .map { ($0, 1) }
    .reduceByKey(+)
let total = StateSpec<CampaignWindow, Int, Int, (CampaignWindow, Int)> { window, count, state in
    let sum = (state.value ?? 0) + (count ?? 0)
    state.update(sum)
    return (window, sum)
}
counts.mapWithState(total).stream.saveToKafka(TopicName(arguments.words[1])) { window, count in
    Record(key: "\(window.campaign)", value: "\(window.campaign),\(window.start),\(count)")
}
await arguments.run(context)
