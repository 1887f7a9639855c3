import EmbeddedBroker
import KafkaWire

/// The broker's machine under libFuzzer: `scripts/fuzz` builds and runs it, `swift build` does not know it.
///
/// An input is a row of frames as clients send them: four bytes of length, then the request. The length's highest byte
/// is no part of it here; it says how many seconds pass before the request, or that the broker is opened again. Every
/// input meets a new broker, so that a finding can be run again by itself.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBroker(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let session = FuzzSession()
    session.run(Array(UnsafeBufferPointer(start: data, count: count))[...])
    return 0
}

/// A broker in memory, its clock, and the clients of one input.
final class FuzzSession {
    /// In place of a number of seconds: the process ends, and another one opens what it left.
    static let restart = UInt8.max

    private let settings: BrokerSettings
    private let storage = MemoryStorageFactory(chunkBytes: 4_096)
    private let numbers = Numbers()
    private var core: BrokerCore
    private var now: Int64 = 1_000_000
    private var slot = 0

    init() {
        var settings = BrokerSettings()
        // What one request may make takes time in proportion; the bound itself has its own tests.
        settings.partitionsMax = 16
        // So that inputs of some kilobytes make the broker's own log grow beyond it.
        settings.stateDirtyBytesMax = 2_048
        self.settings = settings
        core = Self.opened(settings, storage, numbers, now)
    }

    private final class Numbers {
        private var state: UInt64 = 1
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    /// A broker that cannot read what it wrote is a finding, whatever its clients sent.
    private static func opened(
        _ settings: BrokerSettings, _ storage: MemoryStorageFactory, _ numbers: Numbers, _ now: Int64
    ) -> BrokerCore {
        do throws(StorageError) {
            return try BrokerCore(settings: settings, storage: storage, nowMs: now) { numbers.next() }
        } catch {
            preconditionFailure("the broker's data cannot be opened: \(error)")
        }
    }

    /// What the broker has written by now.
    var logs: [(TopicPartition, [UInt8])] {
        let names = (try? storage.list()) ?? []
        return names.compactMap { name in
            guard let log = try? storage.open(name), log.endPosition > log.startPosition else { return nil }
            let size = Int(log.endPosition - log.startPosition)
            return (try? log.read(at: log.startPosition, count: size)).map { (name, $0) }
        }
    }

    func run(_ input: ArraySlice<UInt8>) {
        var rest = input
        while rest.count >= 4 {
            let head = rest.prefix(4)
            rest = rest.dropFirst(4)
            let length = head.dropFirst().reduce(0) { $0 << 8 | Int($1) }
            let frame = rest.prefix(length)
            rest = rest.dropFirst(length)
            pass(head.first ?? 0)
            _ = send(frame)
        }
        pass(254)
        for connection in 0...1 { core.disconnected(ConnectionID(rawValue: connection), nowMs: now) }
        _ = deliver()
    }

    /// Lets seconds pass, with what is due on the way: a broker that never comes to its end is a finding.
    func pass(_ seconds: UInt8) {
        guard seconds > 0 else { return }
        guard seconds < Self.restart else {
            core = Self.opened(settings, storage, numbers, now)
            return
        }
        now += Int64(seconds) * 1_000
        var rounds = 0
        while let due = core.nextDeadlineMs, due <= now, rounds < 64 {
            core.advance(nowMs: now)
            _ = deliver()
            rounds += 1
        }
    }

    /// - Returns: what is answered at once.
    func send(_ bytes: ArraySlice<UInt8>) -> [BrokerAnswer] {
        slot += 1
        guard let frame = try? RequestFrame(decoding: bytes) else { return [] }
        core.handle(RecordRepair.repaired(frame), from: ConnectionID(rawValue: slot % 2), slot: slot, nowMs: now)
        return deliver()
    }

    private func deliver() -> [BrokerAnswer] {
        let answers = core.takeAnswers()
        for answer in answers {
            guard let response = answer.response else { continue }
            _ = try? ResponseFrame.encode(response, to: answer.header)
        }
        // Memory does not fail: a request that made the broker stop is a finding.
        precondition(core.failure == nil, "the broker stopped: \(String(describing: core.failure))")
        return answers
    }
}
