import EmbeddedBroker
import KafkaWire

/// Sets the checksums of the batches in a produce request, which no fuzzer guesses: what lies behind them is reached.
enum RecordRepair {
    private static let checksumAt = 17

    static func repaired(_ frame: RequestFrame) -> RequestFrame {
        guard case .produce(var request) = frame.request else { return frame }
        for topic in request.topics.indices {
            for partition in request.topics[topic].partitions.indices {
                guard let records = request.topics[topic].partitions[partition].records else { continue }
                request.topics[topic].partitions[partition].records = repaired(records)[...]
            }
        }
        return RequestFrame(header: frame.header, request: .produce(request))
    }

    /// A checksum of 0 is left as it is, so that wrong ones are seen as well.
    static func repaired(_ records: ArraySlice<UInt8>) -> [UInt8] {
        var bytes = Array(records)
        var at = 0
        while let header = try? RecordBatchHeader(bytes[at...]), header.byteCount <= bytes.count - at {
            if header.checksum != 0 {
                let sum = CRC32C.checksum(bytes[(at + 21)..<(at + header.byteCount)])
                for byte in 0..<4 { bytes[at + checksumAt + byte] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * byte)) }
            }
            at += header.byteCount
        }
        return bytes
    }
}
