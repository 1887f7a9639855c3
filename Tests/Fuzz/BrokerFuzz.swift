import EmbeddedBroker
import KafkaWire

/// The broker's machine under libFuzzer: `scripts/fuzz` builds and runs it, `swift build` does not know it.
///
/// An input is a row of frames as clients send them: four bytes of length, then the request. The length's highest byte
/// is no part of it here; it says how many seconds pass before the request. Every input meets a new broker, so that a
/// finding can be run again by itself.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBroker(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var session = FuzzSession()
    session?.run(Array(UnsafeBufferPointer(start: data, count: count))[...])
    return 0
}

private struct FuzzSession {
    private let core: BrokerCore
    private var now: Int64 = 1_000_000
    private var slot = 0

    init?() {
        var settings = BrokerSettings()
        // What one request may make takes time in proportion; the bound itself has its own tests.
        settings.partitionsMax = 16
        let numbers = Numbers()
        do throws(StorageError) {
            core = try BrokerCore(
                settings: settings, storage: MemoryStorageFactory(chunkBytes: 4_096), nowMs: now
            ) { numbers.next() }
        } catch {
            return nil
        }
    }

    private final class Numbers {
        private var state: UInt64 = 1
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    mutating func run(_ input: ArraySlice<UInt8>) {
        var rest = input
        while rest.count >= 4 {
            let head = rest.prefix(4)
            rest = rest.dropFirst(4)
            let length = head.dropFirst().reduce(0) { $0 << 8 | Int($1) }
            let frame = rest.prefix(length)
            rest = rest.dropFirst(length)
            pass(seconds: head.first ?? 0)
            send(frame)
        }
        pass(seconds: .max)
        core.disconnected(ConnectionID(rawValue: 1), nowMs: now)
        deliver()
    }

    private mutating func pass(seconds: UInt8) {
        guard seconds > 0 else { return }
        now += Int64(seconds) * 1_000
        core.advance(nowMs: now)
        deliver()
    }

    private mutating func send(_ bytes: ArraySlice<UInt8>) {
        slot += 1
        guard let frame = try? RequestFrame(decoding: bytes) else { return }
        core.handle(frame, from: ConnectionID(rawValue: slot % 2), slot: slot, nowMs: now)
        deliver()
    }

    private func deliver() {
        for answer in core.takeAnswers() {
            guard let response = answer.response else { continue }
            _ = try? ResponseFrame.encode(response, to: answer.header)
        }
    }
}
