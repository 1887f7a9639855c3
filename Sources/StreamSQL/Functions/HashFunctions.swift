import StreamCore

/// `hash`, `xxhash64`, and digests.
enum HashFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("hash", .custom(1...Int.max, resolveHash(.int32)), propagatesNulls: false) { call in
            .int32(FixedColumn(RowHash<SparkMurmur3>.values(call).map { Int32(bitPattern: $0.state) }))
        },
        ScalarFunction("xxhash64", .custom(1...Int.max, resolveHash(.int64)), propagatesNulls: false) { call in
            .int64(FixedColumn(RowHash<XXHash64>.values(call).map { Int64(bitPattern: $0.state) }))
        },
        digest("md5") { MD5.digest($0) },
        digest("sha1", aliases: ["sha"]) { SHA1.digest($0) },
        ScalarFunction("sha2", .exact([.binary, .int32], returns: .string)) { call in
            let (input, bits) = (call.bytes(0), call.int32s(1))
            return call.bytes { row, writer in
                switch bits[row] {
                case 224: Hexadecimal.append(SHA256.digest(input[row], isShort: true), to: &writer)
                case 0, 256: Hexadecimal.append(SHA256.digest(input[row], isShort: false), to: &writer)
                case 384: Hexadecimal.append(SHA512.digest(input[row], isShort: true), to: &writer)
                case 512: Hexadecimal.append(SHA512.digest(input[row], isShort: false), to: &writer)
                default: return false
                }
                return true
            }
        },
        ScalarFunction("crc32", .exact([.binary], returns: .int64)) { call in
            let input = call.bytes(0)
            return call.int64 { Int64(CRC32.checksum(input[$0])) }
        },
    ]

    private static func digest(
        _ name: String, aliases: [String] = [], _ compute: @escaping @Sendable (UnsafeRawBufferPointer) -> [UInt8]
    ) -> ScalarFunction {
        ScalarFunction(name, aliases: aliases, .exact([.binary], returns: .string)) { call in
            let input = call.bytes(0)
            return call.bytes { row, writer in
                Hexadecimal.append(compute(input[row]), to: &writer)
                return true
            }
        }
    }

    /// Everything but maps: their entries have no order that a hash could rely on.
    private static func resolveHash(
        _ type: DataType
    ) -> @Sendable (inout CallTyping) throws(SyntaxIssue) -> ResultType {
        { (typing: inout CallTyping) throws(SyntaxIssue) in
            for index in typing.arguments.indices where hasMap(typing.type(index)) {
                throw typing.issue(
                    "DATATYPE_MISMATCH.HASH_MAP_TYPE", "'\(typing.name)' cannot hash a MAP", at: index)
            }
            return ResultType(type)
        }
    }

    private static func hasMap(_ type: DataType) -> Bool {
        switch type {
        case .map: true
        case .array(let element): hasMap(element)
        case .structure(let schema): schema.fields.contains { hasMap($0.type) }
        default: false
        }
    }
}

enum Hexadecimal {
    static let small = Array("0123456789abcdef".utf8)
    static let capital = Array("0123456789ABCDEF".utf8)

    static func append(_ bytes: some Collection<UInt8>, digits: [UInt8] = small, to writer: inout BytesWriter) {
        writer.append(count: 2 * bytes.count) { target in
            var place = 0
            for byte in bytes {
                target[place] = digits[Int(byte >> 4)]
                target[place + 1] = digits[Int(byte & 15)]
                place += 2
            }
        }
    }

    static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x37
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }
}

/// A hash that is chained from value to value, as Spark's over columns.
protocol ChainedHash: Sendable {
    /// Begins with the seed 42.
    init()
    mutating func add(_ value: Int32)
    mutating func add(_ value: Int64)
    mutating func add(_ bytes: UnsafeRawBufferPointer)
}

/// The hash of each row over all arguments; nulls are skipped.
enum RowHash<Hash: ChainedHash> {
    static func values(_ call: Call) -> [Hash] {
        var hashes = [Hash](repeating: Hash(), count: call.count)
        for vector in call.arguments {
            let mask = vector.mask
            switch vector.column {
            // The commonest without a dispatch per row.
            case .string(let column):
                call.rows.forEachRow { if !column.isNull($0 & mask) { hashes[$0].add(column.bytes($0 & mask)) } }
            case .int32(let column):
                call.rows.forEachRow { if !column.isNull($0 & mask) { hashes[$0].add(column.values[$0 & mask]) } }
            case .int64(let column):
                call.rows.forEachRow { if !column.isNull($0 & mask) { hashes[$0].add(column.values[$0 & mask]) } }
            case let column:
                call.rows.forEachRow { add(column, $0 & mask, &hashes[$0]) }
            }
        }
        return hashes
    }

    private static func add(_ column: Column, _ row: Int, _ hash: inout Hash) {
        if column.isNull(row) { return }
        switch column {
        case .null, .map: break
        case .boolean(let column): hash.add(Int32(column.values[row] ? 1 : 0))
        case .int8(let column): hash.add(Int32(column.values[row]))
        case .int16(let column): hash.add(Int32(column.values[row]))
        case .int32(let column), .date(let column), .yearMonthInterval(let column): hash.add(column.values[row])
        case .int64(let column), .timestamp(let column), .dayTimeInterval(let column): hash.add(column.values[row])
        case .float(let column):
            let value = column.values[row]
            hash.add(value.isNaN ? 0x7FC0_0000 : value == 0 ? 0 : Int32(bitPattern: value.bitPattern))
        case .double(let column):
            let value = column.values[row]
            hash.add(value.isNaN ? 0x7FF8_0000_0000_0000 : value == 0 ? 0 : Int64(bitPattern: value.bitPattern))
        case .decimal(let column):
            let value = column.unscaled.values[row]
            if column.precision <= 18 {
                hash.add(Int64(truncatingIfNeeded: value))
            } else {
                minimalBytes(value).withUnsafeBytes { hash.add($0) }
            }
        case .string(let column), .binary(let column): hash.add(column.bytes(row))
        case .calendarInterval(let column):
            hash.add(column.values[row].microseconds)
            hash.add(column.values[row].days)
            hash.add(column.values[row].months)
        case .array(let column): for element in column.range(row) { add(column.elements, element, &hash) }
        case .structure(let column): for member in column.columns { add(member, row, &hash) }
        }
    }

    /// Big-endian two's complement in as few bytes as it takes, as Java's `BigInteger.toByteArray`.
    private static func minimalBytes(_ value: Int128) -> [UInt8] {
        let count = value.bitWidth / 8
        var bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> Int128(8 * (count - 1 - $0))) }
        while bytes.count > 1, (bytes[0] == 0 && bytes[1] < 0x80) || (bytes[0] == 0xFF && bytes[1] >= 0x80) {
            bytes.removeFirst()
        }
        return bytes
    }
}
