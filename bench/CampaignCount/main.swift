// The window workload of scripts/bench: views per campaign in windows of 10 s of event time, as keyed state.
//
//   MILLRACE_BROKERS=… CampaignCount INPUT OUTPUT --query NAME --interval 100ms
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

/// Finds fields of flat JSON records by their names.
struct Fields {
    private static let type = Array(#""event_type":"view""#.utf8)
    private static let ad = Array(#""ad_id":"ad-"#.utf8)
    private static let time = Array(#""event_time":""#.utf8)

    static func campaignWindow(_ bytes: RawSpan) -> CampaignWindow? {
        bytes.withUnsafeBytes { bytes in
            guard find(type, bytes) != nil, let ad = find(ad, bytes), let time = find(time, bytes) else { return nil }
            return CampaignWindow(
                campaign: Int32(number(bytes, ad) % 100), start: number(bytes, time) / 10_000 * 10_000)
        }
    }

    /// The place behind the first occurrence.
    private static func find(_ pattern: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        for start in 0...bytes.count - pattern.count where bytes[start] == pattern[0] {
            let end = start + pattern.count
            if bytes[start..<end].elementsEqual(pattern) { return end }
        }
        return nil
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int64 {
        var value: Int64 = 0
        for byte in bytes[start...] {
            guard byte >= 0x30, byte <= 0x39 else { break }
            value = value &* 10 &+ Int64(byte - 0x30)
        }
        return value
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
