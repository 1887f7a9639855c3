private import StreamCore

/// Writes a snapshot and its rates as one line for people, or as one line of JSON.
package enum ProgressLine {
    /// `orders running · epoch 41 · in 12.3 k/s · out 11.9 k/s · lag 1,204 · epoch p50 18 ms · 3 dropped · 2 bad`
    package static func text(_ snapshot: ServiceSnapshot, _ rate: ProgressRate) -> String {
        var parts = ["\(LogText.singleLine(snapshot.query.text)) \(snapshot.state.rawValue)"]
        if let epoch = snapshot.epoch { parts.append("epoch \(grouped(epoch.number))") }
        parts.append("in \(perSecond(rate.recordsIn))")
        parts.append("out \(perSecond(rate.recordsOut))")
        parts.append("lag \(snapshot.lag.map(grouped) ?? "-")")
        if let p50 = rate.epochP50 { parts.append("epoch p50 \(duration(p50))") }
        let bad = snapshot.records.deadLettered &+ snapshot.records.skipped
        if bad > 0 { parts.append("\(grouped(Int64(clamping: bad))) bad") }
        let dropped = snapshot.epochs.droppedTotal
        if dropped > 0 { parts.append("\(grouped(Int64(clamping: dropped))) epochs dropped") }
        if let error = snapshot.lastError, !snapshot.state.isReady { parts.append(LogText.singleLine(error.message)) }
        return parts.joined(separator: " · ")
    }

    /// The same as one line of JSON; names are those of `/status`, with rates a second.
    package static func json(_ snapshot: ServiceSnapshot, _ rate: ProgressRate, wallMs: Int64) -> String {
        JSONWriter.document { json in
            json.value("time", WallTime.iso(milliseconds: wallMs))
            json.value("query", snapshot.query.text)
            json.value("state", snapshot.state.rawValue)
            json.value("epoch", snapshot.epoch?.number)
            json.value("recordsInPerSecond", rounded(rate.recordsIn))
            json.value("recordsOutPerSecond", rounded(rate.recordsOut))
            json.value("bytesInPerSecond", rounded(rate.bytesIn))
            json.value("epochP50Seconds", rate.epochP50.map(\.seconds))
            json.value("lagRecords", snapshot.lag)
            json.value("recordsRead", snapshot.records.read)
            json.value("recordsOutput", snapshot.records.output)
            json.value("deadLettered", snapshot.records.deadLettered)
            json.value("skipped", snapshot.records.skipped)
            json.value("epochsCommitted", snapshot.epochs.committed)
            json.value("epochsDropped", snapshot.epochs.droppedTotal)
            json.value("memoryUsedBytes", snapshot.memory.usedBytes)
            json.value("lastError", snapshot.lastError?.code)
        }
    }

    /// Cuts a line to a number of characters, so that a rewritten line never wraps.
    package static func fitted(_ line: String, width: Int) -> String {
        line.count <= width ? line : line.prefix(max(0, width - 1)) + "…"
    }

    /// `950/s`, `12.3 k/s`, `1.25 M/s`.
    package static func perSecond(_ rate: Double) -> String {
        let value = rate.isFinite ? max(rate, 0) : 0
        if value < 999.5 { return "\(fixed(value, value < 9.95 && value > 0 ? 1 : 0))/s" }
        if value < 999_500 { return "\(fixed(value / 1e3, value < 99_950 ? 1 : 0)) k/s" }
        return "\(fixed(value / 1e6, value < 9_995_000 ? 2 : 1)) M/s"
    }

    /// `0.8 ms`, `18 ms`, `1.2 s`.
    package static func duration(_ duration: Duration) -> String {
        let ms = max(duration.milliseconds, 0)
        if ms < 9.95 { return "\(fixed(ms, 1)) ms" }
        if ms < 999.5 { return "\(fixed(ms, 0)) ms" }
        return "\(fixed(ms / 1000, 1)) s"
    }

    /// `1,204`.
    package static func grouped(_ number: Int64) -> String {
        var digits = Array(String(number.magnitude).utf8)
        var place = digits.count - 3
        while place > 0 {
            digits.insert(UInt8(ascii: ","), at: place)
            place -= 3
        }
        return (number < 0 ? "-" : "") + String(decoding: digits, as: UTF8.self)
    }

    private static func fixed(_ value: Double, _ decimals: Int) -> String {
        let factor = [1.0, 10, 100][min(max(decimals, 0), 2)]
        // Rates above this are not real; the clamp keeps the conversion from trapping.
        let scaled = Int64(min(max((value * factor).rounded(), 0), 1e15))
        let whole = scaled / Int64(factor)
        guard decimals > 0 else { return "\(whole)" }
        let part = String(scaled % Int64(factor))
        return "\(whole)." + String(repeating: "0", count: decimals - part.utf8.count) + part
    }

    private static func rounded(_ value: Double) -> Double { value.isFinite ? (value * 10).rounded() / 10 : 0 }
}
