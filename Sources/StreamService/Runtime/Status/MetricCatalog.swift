/// Every metric that `/metrics` shows: one declaration drives the text, its help and the check of docs/operations.md.
/// Names, types and labels are API: they are added to, not changed.
package struct MetricFamily: Sendable, Hashable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package let name: String
    package let kind: Kind
    package let help: String
    package let labels: [String]

    package init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = []) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
    }
}

package enum MetricCatalog {
    package static let buildInfo = MetricFamily(
        "millrace_build_info", .gauge, "Always 1; the version is in the label.", labels: ["version"])
    package static let queryInfo = MetricFamily(
        "millrace_query_info", .gauge, "Always 1; the instance that runs the query is in the label.",
        labels: ["instance"])
    package static let queryState = MetricFamily(
        "millrace_query_state", .gauge, "1 for the state the query is in, 0 for the others.", labels: ["state"])
    package static let ready = MetricFamily(
        "millrace_ready", .gauge, "1 when the query has joined, recovered and commits, or stands by; else 0.")
    package static let epoch = MetricFamily("millrace_epoch", .gauge, "Number of the newest committed epoch.")
    package static let attempt = MetricFamily(
        "millrace_attempt", .gauge, "How many times this run went back to the committed progress.")

    package static let recordsRead = MetricFamily("millrace_records_read_total", .counter, "Input records read.")
    package static let recordsEmittedFrom = MetricFamily(
        "millrace_records_emitted_from_total", .counter, "Input records that led to output or to a change of state.")
    package static let recordsFiltered = MetricFamily(
        "millrace_records_filtered_total", .counter, "Input records that the query filtered out.")
    package static let recordsLate = MetricFamily(
        "millrace_records_late_total", .counter, "Input records behind the watermark.")
    package static let recordsDeadLettered = MetricFamily(
        "millrace_records_dead_lettered_total", .counter, "Bad input records written to the dead-letter topic.")
    package static let recordsSkipped = MetricFamily(
        "millrace_records_skipped_total", .counter, "Bad input records skipped by the error policy.")
    package static let recordsOutput = MetricFamily(
        "millrace_records_output_total", .counter, "Output records written.")
    package static let bytesIn = MetricFamily("millrace_input_bytes_total", .counter, "Bytes of input records.")
    package static let bytesOut = MetricFamily("millrace_output_bytes_total", .counter, "Bytes of output records.")

    package static let epochsCommitted = MetricFamily("millrace_epochs_committed_total", .counter, "Epochs committed.")
    package static let epochsDropped = MetricFamily(
        "millrace_epochs_dropped_total", .counter, "Epochs dropped and repeated, by reason.", labels: ["reason"])
    package static let epochDuration = MetricFamily(
        "millrace_epoch_duration_seconds", .histogram, "From the first record of an epoch to its commit.")
    package static let lastPhase = MetricFamily(
        "millrace_last_epoch_phase_seconds", .gauge, "What the newest committed epoch spent in each phase.",
        labels: ["phase"])

    package static let lag = MetricFamily(
        "millrace_lag_records", .gauge, "Offsets between the committed positions and the ends, over all splits.")
    package static let splitPosition = MetricFamily(
        "millrace_split_position", .gauge, "Next offset to read after the newest commit.",
        labels: ["topic", "partition"])
    package static let splitEnd = MetricFamily(
        "millrace_split_end", .gauge, "End of the split (its last stable offset).", labels: ["topic", "partition"])
    package static let splitLag = MetricFamily(
        "millrace_split_lag_records", .gauge, "Offsets between the two.", labels: ["topic", "partition"])

    package static let memoryUsed = MetricFamily(
        "millrace_memory_used_bytes", .gauge, "Bytes of the query's memory budget in use.")
    package static let memoryBudget = MetricFamily("millrace_memory_budget_bytes", .gauge, "The query's memory budget.")
    package static let restarts = MetricFamily(
        "millrace_restarts_total", .counter, "Times the query went back to its committed progress after trouble.")
    package static let lostOffsets = MetricFamily(
        "millrace_lost_offsets_total", .counter, "Offsets whose records were deleted before they were read.")
    package static let lastError = MetricFamily(
        "millrace_last_error_timestamp_seconds", .gauge, "When the newest error happened; its code is in the label.",
        labels: ["code"])
    package static let beatAge = MetricFamily(
        "millrace_loop_beat_age_seconds", .gauge, "Since each loop of the process last came round.", labels: ["loop"])

    // The names that Prometheus client libraries agree on for every process.
    package static let resident = MetricFamily(
        "process_resident_memory_bytes", .gauge, "Resident memory of the process.")
    package static let virtual = MetricFamily("process_virtual_memory_bytes", .gauge, "Virtual memory of the process.")
    package static let cpu = MetricFamily("process_cpu_seconds_total", .counter, "User and system time of the process.")
    package static let openFiles = MetricFamily("process_open_fds", .gauge, "Open files of the process.")
    package static let openFilesMax = MetricFamily("process_max_fds", .gauge, "Limit of open files of the process.")
    package static let startTime = MetricFamily(
        "process_start_time_seconds", .gauge, "When the process began, in seconds since 1970-01-01 UTC.")

    /// In the order of `/metrics`.
    package static let all: [MetricFamily] = [
        buildInfo, queryInfo, queryState, ready, epoch, attempt,
        recordsRead, recordsEmittedFrom, recordsFiltered, recordsLate, recordsDeadLettered, recordsSkipped,
        recordsOutput,
        bytesIn, bytesOut, epochsCommitted, epochsDropped, epochDuration, lastPhase,
        lag, splitPosition, splitEnd, splitLag, memoryUsed, memoryBudget, restarts, lostOffsets, lastError, beatAge,
        resident, virtual, cpu, openFiles, openFilesMax, startTime,
    ]
}
