private import FoundationEssentials
public import StreamCore

/// Any `Codable` type is kept as JSON with sorted keys: `struct Session: Codable, StateCodable {}` is all it takes.
///
/// Added optional properties can still be read from older state, which is what `Codable` does; any other change needs
/// another `stateType`. For state of millions of keys a layout of one's own is smaller and faster.
extension StateCodable where Self: Codable {
    public static var stateType: String { String(describing: Self.self) }

    /// An error of the type's own `encode(to:)` becomes the writer's `failure`.
    public func encode(to writer: inout StateWriter) {
        do {
            writer.append(contentsOf: try JSONState.encoder.encode(self))
        } catch {
            writer.fail(
                StreamError(
                    "STATE_ENCODING", "A value of type \(Self.stateType) could not be encoded: \(error).",
                    remedy: "Mend the type's encode(to:), or give it a layout of its own.", domain: .user, cause: error)
            )
        }
    }

    public init(from reader: inout StateReader) throws(StreamError) {
        do {
            self = try JSONState.decoder.decode(Self.self, from: Data(reader.takeRest()))
        } catch {
            var damaged = StateReader.damaged
            damaged.message = "Bytes of a query's state are no value of type \(Self.stateType)."
            damaged.cause = error
            throw damaged
        }
    }
}

/// How `Codable` state is written; part of the layout of what users keep.
private enum JSONState {
    static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return encoder
    }()

    static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return decoder
    }()
}
