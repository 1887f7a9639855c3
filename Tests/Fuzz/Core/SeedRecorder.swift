import EmbeddedBroker
import Glibc
import KafkaWire

/// With MILLRACE_FUZZ_SEEDS=FOLDER the fuzzer writes down sessions to begin with, and ends.
///
/// They are recorded on the very broker that the fuzzer runs them on: the members' and producers' ids in them are
/// those that it gives out again.
@_cdecl("LLVMFuzzerInitialize")
public func initializeFuzzer(
    _ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafePointer<CChar>>>?
) -> CInt {
    guard let folder = getenv("MILLRACE_FUZZ_SEEDS") else { return 0 }
    for isNewest in [true, false] {
        for (name, session) in SeedSessions.all {
            let recorder = SeedRecorder(isNewest: isNewest)
            session(recorder)
            recorder.write(to: String(cString: folder), as: "\(name)-\(isNewest ? "newest" : "oldest")")
        }
    }
    exit(0)
}

/// Plays a client on a broker, and keeps what it sent as an input of the fuzzer.
final class SeedRecorder {
    private let session = FuzzSession()
    private let isNewest: Bool
    private var input: [UInt8] = []
    private var secondsToPass: UInt8 = 0
    private var correlation: Int32 = 0

    /// - Parameter isNewest: the newest versions of all APIs, or the oldest.
    init(isNewest: Bool) { self.isNewest = isNewest }

    func pass(_ seconds: UInt8) { secondsToPass = seconds }
    func restart() { secondsToPass = FuzzSession.restart }

    @discardableResult
    func ask(_ key: APIKey, _ request: Request) -> Response? {
        correlation += 1
        let version = isNewest ? key.versions.upperBound : key.versions.lowerBound
        let header = RequestHeader(key: key, version: version, correlationID: correlation, clientID: "seed")
        guard var bytes = try? RequestFrame(header: header, request: request).encode() else { return nil }
        session.pass(secondsToPass)
        bytes[0] = secondsToPass
        secondsToPass = 0
        input += bytes
        return session.send(bytes[4...]).first { $0.header.correlationID == correlation }?.response
    }

    /// The session, and the logs that it left for the fuzzer that opens logs: its first byte says how.
    fileprivate func write(to folder: String, as name: String) {
        Self.write(input, to: "\(folder)/core/\(name)")
        for (log, bytes) in session.logs where isNewest {
            for switches: UInt8 in log == StateLog.name ? [1] : [0, 2, 12] {
                let place = "\(folder)/recovery/\(name)-\(log.topic)\(log.partition)-\(switches)"
                Self.write([switches] + bytes, to: place)
            }
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) {
        let file = fopen(path, "w")
        defer { if let file { fclose(file) } }
        guard let file, fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            perror(path)
            exit(1)
        }
    }
}
