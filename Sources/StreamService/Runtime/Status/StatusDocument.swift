private import StreamCore

/// The JSON of `/status`. Names are API: they are added to, not changed.
package enum StatusDocument {
    package static func text(
        _ snapshot: ServiceSnapshot, process: ProcessReport, pulses: [Heartbeats.Pulse], version: String, wallMs: Int64
    ) -> String {
        JSONWriter.document { json in
            json.value("query", snapshot.query.text)
            json.value("instance", snapshot.instance)
            json.value("version", version)
            json.value("time", WallTime.iso(milliseconds: wallMs))
            json.value("state", snapshot.state.rawValue)
            json.value("ready", snapshot.state.isReady)
            json.value("epoch", snapshot.epoch?.number)
            json.value("attempt", snapshot.attempt.number)
            json.value("restarts", snapshot.restarts)
            json.value("lostOffsets", snapshot.lostOffsets)
            json.value("lagRecords", snapshot.lag)
            json.object("records") { write(snapshot.records, &$0) }
            json.object("epochs") { write(snapshot, &$0) }
            json.array("splits", snapshot.splits) { json, split in json.object { write(split, &$0) } }
            json.object("memory") { json in
                json.value("usedBytes", snapshot.memory.usedBytes)
                json.value("budgetBytes", snapshot.memory.budgetBytes)
                json.value("residentBytes", process.residentBytes)
            }
            json.object("process") { write(process, &$0) }
            json.array("loops", pulses) { json, pulse in json.object { write(pulse, &$0) } }
            if let error = snapshot.lastError {
                json.object("lastError") { write(error, &$0) }
            } else {
                json.value("lastError", nil as String?)
            }
        }
    }

    private static func write(_ records: RecordCounters, _ json: inout JSONWriter) {
        json.value("read", records.read)
        json.value("emittedFrom", records.emittedFrom)
        json.value("filtered", records.filtered)
        json.value("late", records.late)
        json.value("deadLettered", records.deadLettered)
        json.value("skipped", records.skipped)
        json.value("output", records.output)
        json.value("bytesIn", records.bytesIn)
        json.value("bytesOut", records.bytesOut)
    }

    private static func write(_ snapshot: ServiceSnapshot, _ json: inout JSONWriter) {
        json.value("committed", snapshot.epochs.committed)
        json.object("dropped") { json in
            for (reason, count) in snapshot.epochs.dropped.sorted(by: { $0.key < $1.key }) { json.value(reason, count) }
        }
        json.value("p50Seconds", snapshot.epochDurations.quantile(0.5))
        json.value("p99Seconds", snapshot.epochDurations.quantile(0.99))
        guard let phases = snapshot.lastPhases else { return json.value("lastSeconds", nil as String?) }
        json.object("lastSeconds") { json in
            for phase in phases.named { json.value(phase.name, phase.duration.seconds) }
        }
    }

    private static func write(_ split: SplitStatus, _ json: inout JSONWriter) {
        json.value("topic", split.split.topic.text)
        json.value("partition", split.split.partition.number)
        json.value("position", split.position.number)
        json.value("end", split.end?.number)
        json.value("lag", split.lag)
    }

    private static func write(_ process: ProcessReport, _ json: inout JSONWriter) {
        json.value("cpuSeconds", process.cpuSeconds)
        json.value("threads", process.threads)
        json.value("openFiles", process.openFiles)
        json.value(
            "startedAt",
            process.startedAtSeconds.map { WallTime.iso(milliseconds: Int64(exactly: ($0 * 1000).rounded()) ?? 0) })
    }

    private static func write(_ pulse: Heartbeats.Pulse, _ json: inout JSONWriter) {
        json.value("loop", pulse.loop)
        json.value("ageSeconds", pulse.age.seconds)
        json.value("deadlineSeconds", pulse.deadline.seconds)
        json.value("overdue", pulse.isOverdue)
    }

    private static func write(_ error: ErrorNote, _ json: inout JSONWriter) {
        json.value("code", error.code)
        json.value("message", error.message)
        json.value("time", WallTime.iso(milliseconds: error.atMs))
    }
}
