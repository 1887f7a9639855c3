import Glibc
import StreamCore

/// `rand`, `randn`, `uniform`, `randstr`, `uuid`: values that differ from row to row. With a seed the sequence is that
/// of one Spark partition; a task that starts anew begins it again.
enum RandomFunctions {
    static let all: [ScalarFunction] = [
        generator("rand", aliases: ["random"]) { $0.nextDouble() },
        generator("randn") { $0.nextGaussian() },
        ScalarFunction(
            "uniform", .custom(2...3, resolveUniform), isFoldable: false,
            implementation: .prepared { preparation in
                var random = SparkRandom(preparation, argument: 2)
                return { call in
                    let (low, high) = (call.doubles(0), call.doubles(1))
                    return call.double { row in low[row] + (high[row] - low[row]) * random.nextDouble() }
                }
            }),
        ScalarFunction(
            "randstr", .exact([.int32], optional: [.int64], returns: .string), isFoldable: false,
            implementation: .prepared { preparation in
                var random = SparkRandom(preparation, argument: 1)
                let characters = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
                return { call in
                    let length = call.int32s(0)
                    return call.bytes { (row, writer) throws(RowError) in
                        guard length[row] >= 0, Int(length[row]) <= BytesWriter.rowMax else {
                            throw RowError("INVALID_PARAMETER_VALUE.LENGTH", "the length is out of range")
                        }
                        for _ in 0..<length[row] {
                            writer.append(characters[Int(random.nextDouble() * Double(characters.count))])
                        }
                        return true
                    }
                }
            }),
        ScalarFunction("uuid", .exact([], returns: .string), isFoldable: false) { call in
            call.bytes { _, writer in
                appendIdentifier(to: &writer)
                return true
            }
        },
    ]

    private static func generator(
        _ name: String, aliases: [String] = [], _ next: @escaping @Sendable (inout SparkRandom) -> Double
    ) -> ScalarFunction {
        ScalarFunction(
            name, aliases: aliases, .exact([], optional: [.int64], returns: .double), propagatesNulls: false,
            isFoldable: false,
            implementation: .prepared { preparation in
                var random = SparkRandom(preparation, argument: 0)
                return { call in call.double { _ in next(&random) } }
            })
    }

    @Sendable
    private static func resolveUniform(_ typing: inout CallTyping) throws(SyntaxIssue) -> ResultType {
        let isWhole = Coercion.isInteger(typing.type(0)) && Coercion.isInteger(typing.type(1))
        let result: DataType = isWhole ? Coercion.common(typing.type(0), typing.type(1)) ?? .int64 : .double
        for index in 0..<2 { try typing.coerce(index, to: .double) }
        if typing.count > 2 { try typing.coerce(2, to: .int64) }
        guard isWhole else { return ResultType(.double) }
        // Computed on doubles, then cut: the cast stands around a call of this very function.
        return typing.replace(with: Expression(.call("uniform", typing.arguments), .double).cast(to: result))
    }

    /// Version 4: 122 random bits of the system's generator, so that no two tasks give the same.
    private static func appendIdentifier(to writer: inout BytesWriter) {
        var random = SystemRandomNumberGenerator()
        let high = (random.next() as UInt64) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = (random.next() as UInt64) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        for (index, word) in [high, low].enumerated() {
            for byte in 0..<8 {
                if [4, 6, 8, 10].contains(index * 8 + byte) { writer.append(UInt8(ascii: "-")) }
                let value = UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * byte))
                Hexadecimal.append(CollectionOfOne(value), to: &writer)
            }
        }
    }
}

/// Spark's `XORShiftRandom`.
struct SparkRandom {
    private var state: UInt64
    private var spareGaussian: Double?

    init(seed: Int64) {
        var bytes = [UInt8]()
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: seed >> Int64(shift)))
        }
        let low = Self.hash(bytes, seed: 0x3C07_4A61)
        let high = Self.hash(bytes, seed: low)
        state = UInt64(high) << 32 | UInt64(low)
    }

    /// From a constant argument, else from the system's generator.
    init(_ preparation: Preparation, argument: Int) {
        let constant = argument < preparation.constants.count ? preparation.constants[argument]?.datum(0) : nil
        if case .integer(let seed)? = constant {
            self.init(seed: seed)
        } else {
            self.init(seed: constant == nil ? Int64.random(in: .min ... .max) : 0)
        }
    }

    /// Murmur3 of two whole words.
    private static func hash(_ bytes: [UInt8], seed: UInt32) -> UInt32 {
        var hash = SparkMurmur3(seed: seed)
        bytes.withUnsafeBytes { hash.add($0) }
        return hash.state
    }

    private mutating func next(_ bits: UInt64) -> UInt64 {
        state ^= state << 21
        state ^= state >> 35
        state ^= state << 4
        return state & (1 << bits - 1)
    }

    /// In [0, 1).
    mutating func nextDouble() -> Double { Double(next(26) << 27 + next(27)) * 0x1p-53 }

    /// Of mean 0 and deviation 1, by the polar method of `java.util.Random`.
    mutating func nextGaussian() -> Double {
        if let spare = spareGaussian {
            spareGaussian = nil
            return spare
        }
        while true {
            let (x, y) = (2 * nextDouble() - 1, 2 * nextDouble() - 1)
            let square = x * x + y * y
            guard square < 1, square != 0 else { continue }
            let factor = (-2 * log(square) / square).squareRoot()
            spareGaussian = y * factor
            return x * factor
        }
    }
}
