private import StreamCore

/// The text of `/metrics`: a snapshot, the process and the loops, as the families of `MetricCatalog`.
package enum MetricsPage {
    package static func text(
        _ snapshot: ServiceSnapshot, process: ProcessReport, pulses: [Heartbeats.Pulse], version: String
    ) -> String {
        var page = MetricsText(common: [("query", snapshot.query.text)])
        page.add(MetricCatalog.buildInfo, [([version], 1)])
        page.add(MetricCatalog.queryInfo, [([snapshot.instance], 1)])
        page.add(
            MetricCatalog.queryState, QueryState.allCases.map { ([$0.rawValue], $0 == snapshot.state ? 1 : 0) })
        page.add(MetricCatalog.ready, snapshot.state.isReady ? 1 : 0)
        page.add(MetricCatalog.epoch, snapshot.epoch.map { Double($0.number) })
        page.add(MetricCatalog.attempt, Double(snapshot.attempt.number))
        add(snapshot.records, to: &page)
        add(epochsOf: snapshot, to: &page)
        add(splitsOf: snapshot, to: &page)
        page.add(MetricCatalog.memoryUsed, Double(snapshot.memory.usedBytes))
        page.add(MetricCatalog.memoryBudget, Double(snapshot.memory.budgetBytes))
        page.add(MetricCatalog.restarts, snapshot.restarts)
        page.add(MetricCatalog.lostOffsets, snapshot.lostOffsets)
        page.add(MetricCatalog.lastError, snapshot.lastError.map { [([$0.code], Double($0.atMs) / 1000)] } ?? [])
        page.add(MetricCatalog.beatAge, pulses.map { ([$0.loop], $0.age.seconds) })
        add(process, to: &page)
        return page.text
    }

    private static func add(_ records: RecordCounters, to page: inout MetricsText) {
        page.add(MetricCatalog.recordsRead, records.read)
        page.add(MetricCatalog.recordsEmittedFrom, records.emittedFrom)
        page.add(MetricCatalog.recordsFiltered, records.filtered)
        page.add(MetricCatalog.recordsLate, records.late)
        page.add(MetricCatalog.recordsDeadLettered, records.deadLettered)
        page.add(MetricCatalog.recordsSkipped, records.skipped)
        page.add(MetricCatalog.recordsOutput, records.output)
        page.add(MetricCatalog.bytesIn, records.bytesIn)
        page.add(MetricCatalog.bytesOut, records.bytesOut)
    }

    private static func add(epochsOf snapshot: ServiceSnapshot, to page: inout MetricsText) {
        page.add(MetricCatalog.epochsCommitted, snapshot.epochs.committed)
        let dropped = snapshot.epochs.dropped.sorted { $0.key < $1.key }
        page.add(MetricCatalog.epochsDropped, dropped.map { ([$0.key], Double($0.value)) })
        page.add(MetricCatalog.epochDuration, snapshot.epochDurations)
        let phases = snapshot.lastPhases?.named ?? []
        page.add(MetricCatalog.lastPhase, phases.map { ([$0.name], $0.duration.seconds) })
    }

    private static func add(splitsOf snapshot: ServiceSnapshot, to page: inout MetricsText) {
        let named = snapshot.splits.map { (labels: [$0.split.topic.text, $0.split.partition.description], split: $0) }
        page.add(MetricCatalog.lag, snapshot.lag.map { Double($0) })
        page.add(MetricCatalog.splitPosition, named.map { ($0.labels, Double($0.split.position.number)) })
        page.add(
            MetricCatalog.splitEnd,
            named.compactMap { entry in entry.split.end.map { (entry.labels, Double($0.number)) } })
        page.add(
            MetricCatalog.splitLag, named.compactMap { entry in entry.split.lag.map { (entry.labels, Double($0)) } })
    }

    private static func add(_ process: ProcessReport, to page: inout MetricsText) {
        page.add(MetricCatalog.resident, process.residentBytes.map { Double($0) })
        page.add(MetricCatalog.virtual, process.virtualBytes.map { Double($0) })
        page.add(MetricCatalog.cpu, process.cpuSeconds)
        page.add(MetricCatalog.openFiles, process.openFiles.map { Double($0) })
        page.add(MetricCatalog.openFilesMax, process.openFilesMax.map { Double($0) })
        page.add(MetricCatalog.startTime, process.startedAtSeconds)
    }
}
