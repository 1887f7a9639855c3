import EmbeddedBroker
import Foundation

@testable import BrokerServer

/// A folder that goes away with the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/segments-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    var log: String { path + "/t-0" }
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: log).sorted()) ?? [] }

    func open(_ segmentBytesMax: Int64 = 100, _ policy: SyncPolicy = .everyMs(1_000), fault: Disk? = nil)
        throws -> SegmentStorage
    {
        let folder = try SegmentFolder(log, fault: fault.map { disk in { disk.fault($0, $1) } })
        return try SegmentStorage(folder, segmentBytesMax: segmentBytesMax, sync: policy)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A disk that fails from its n-th call on, as a crash does, or only at some kinds of calls.
final class Disk {
    var callsLeft = Int.max
    var failing: Set<SegmentFolder.Call> = []
    var number = EIO
    var written = 0
    private(set) var calls: [SegmentFolder.Call] = []

    func fault(_ call: SegmentFolder.Call, _ name: String) -> SegmentFolder.Fault? {
        calls.append(call)
        callsLeft -= 1
        guard callsLeft < 0 || failing.contains(call) else { return nil }
        return SegmentFolder.Fault(number: number, written: written)
    }
}

/// Bytes that begin as a record batch does, with the first offset.
func batch(_ offset: Int64, count: Int = 40) -> [UInt8] {
    let head = (0..<8).map { UInt8(truncatingIfNeeded: offset >> (56 - 8 * Int64($0))) }
    return head + (8..<count).map { UInt8(truncatingIfNeeded: Int64($0) &+ offset) }
}

extension LogStorage {
    mutating func add(_ offsets: some Sequence<Int64>, count: Int = 40) throws {
        for offset in offsets { try append(batch(offset, count: count)[...], baseOffset: offset, maxTimestamp: 0) }
    }

    mutating func addReplacement(_ offsets: some Sequence<Int64>, count: Int = 40) throws {
        for offset in offsets {
            try appendReplacement(batch(offset, count: count)[...], baseOffset: offset, maxTimestamp: 0)
        }
    }

    /// All bytes that are there.
    func all() throws -> [UInt8] {
        try read(at: startPosition, count: Int(endPosition - startPosition))
    }
}

func batches(_ offsets: some Sequence<Int64>) -> [UInt8] { offsets.flatMap { batch($0) } }
