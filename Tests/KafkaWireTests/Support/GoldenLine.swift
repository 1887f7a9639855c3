import Foundation

@testable import KafkaWire

/// What Apache Kafka's own classes wrote for one API, version and direction; Golden.java says how values come about.
struct GoldenLine: CustomStringConvertible {
    let key: APIKey
    let version: Int16
    let isRequest: Bool
    let variant: String
    let bytes: [UInt8]

    var description: String { "\(key) \(version) \(isRequest ? "request" : "response") \(variant)" }

    static let all: [GoldenLine] = {
        guard let url = Bundle.module.url(forResource: "Golden/golden", withExtension: "txt"),
            let text = try? String(contentsOf: url, encoding: .utf8)
        else { return [] }
        return text.split(separator: "\n").compactMap(GoldenLine.init)
    }()

    static func find(_ key: APIKey, _ version: Int16, request: Bool, _ variant: String = "full") -> GoldenLine? {
        all.first { $0.key == key && $0.version == version && $0.isRequest == request && $0.variant == variant }
    }

    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count == 5, let key = Int16(words[0]).flatMap(APIKey.init), let version = Int16(words[1]),
            let data = Data(base64Encoded: String(words[4]))
        else { return nil }
        self.key = key
        self.version = version
        isRequest = words[2] == "q"
        variant = String(words[3])
        bytes = [UInt8](data)
    }

    func decode(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Decoded {
        if isRequest { return .request(try RequestFrame(decoding: bytes)) }
        return .response(try ResponseFrame(decoding: bytes, key: key, version: version))
    }

    func decode() throws(WireError) -> Decoded { try decode(bytes[...]) }

    /// The bytes of what was decoded, without the length before them.
    func encode(_ decoded: Decoded) throws(WireError) -> [UInt8] {
        let frame: [UInt8]
        switch decoded {
        case .request(let request): frame = try request.encode()
        case .response(let response):
            let header = RequestHeader(
                key: key, version: version, correlationID: response.correlationID, clientID: nil)
            frame = try ResponseFrame.encode(response.response, to: header)
        }
        return Array(frame.dropFirst(4))
    }
}

enum Decoded: Equatable {
    case request(RequestFrame)
    case response(ResponseFrame)

    var message: any WireMessage {
        switch self {
        case .request(let frame): frame.request.message
        case .response(let frame): frame.response.message
        }
    }
}

/// SplitMix64: the same numbers from the same seed everywhere.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
