import StreamCore

/// Elements of lists, each once: found by comparing while they are few, by their hashes when they are many.
struct ElementSet {
    private static let fewMax = 16

    private let sources: [Column]
    private let order: ValueOrder
    private(set) var members: [Pick] = []
    private(set) var hasNull = false
    private var buckets: [Int: [Pick]] = [:]

    init(_ sources: [Column], _ type: DataType) {
        self.sources = sources
        order = ValueOrder(type)
    }

    /// Forgets the members, keeps the memory.
    mutating func removeAll() {
        members.removeAll(keepingCapacity: true)
        hasNull = false
        if !buckets.isEmpty { buckets.removeAll(keepingCapacity: true) }
    }

    /// False if it is there already.
    mutating func insert(_ pick: Pick) -> Bool {
        if sources[Int(pick.source)].isNull(Int(pick.row)) {
            defer { hasNull = true }
            return !hasNull
        }
        if contains(pick) { return false }
        members.append(pick)
        if members.count == Self.fewMax + 1 {
            for member in members { buckets[hash(member), default: []].append(member) }
        } else if members.count > Self.fewMax {
            buckets[hash(pick), default: []].append(pick)
        }
        return true
    }

    func contains(_ pick: Pick) -> Bool {
        let column = sources[Int(pick.source)]
        if column.isNull(Int(pick.row)) { return hasNull }
        let candidates = members.count > Self.fewMax ? buckets[hash(pick)] ?? [] : members
        return candidates.contains {
            order.compare(sources[Int($0.source)], Int($0.row), column, Int(pick.row)) == 0
        }
    }

    private func hash(_ pick: Pick) -> Int {
        var hasher = Hasher()
        sources[Int(pick.source)].hash(Int(pick.row), into: &hasher)
        return hasher.finalize()
    }
}

extension Column {
    /// Feeds a value to a hasher; equal values (as `ValueOrder` compares) feed the same.
    func hash(_ row: Int, into hasher: inout Hasher) {
        if isNull(row) {
            hasher.combine(0)
            return
        }
        switch self {
        case .boolean(let column): hasher.combine(column.values[row])
        case .int8(let column): hasher.combine(column.values[row])
        case .int16(let column): hasher.combine(column.values[row])
        case .int32(let column), .date(let column), .yearMonthInterval(let column): hasher.combine(column.values[row])
        case .int64(let column), .timestamp(let column), .dayTimeInterval(let column):
            hasher.combine(column.values[row])
        case .float(let column): Self.hash(Double(column.values[row]), into: &hasher)
        case .double(let column): Self.hash(column.values[row], into: &hasher)
        case .decimal(let column): hasher.combine(column.unscaled.values[row])
        case .string(let column), .binary(let column): hasher.combine(bytes: column.bytes(row))
        case .calendarInterval(let column): hasher.combine(column.values[row])
        case .array(let column): for element in column.range(row) { column.elements.hash(element, into: &hasher) }
        case .structure(let column): for member in column.columns { member.hash(row, into: &hasher) }
        // Maps have no order, so they are no elements of sets.
        case .null, .map: break
        }
    }

    /// All NaNs are equal, and so are both zeros.
    private static func hash(_ value: Double, into hasher: inout Hasher) {
        hasher.combine(value.isNaN ? Double.nan.bitPattern : value == 0 ? 0 : value.bitPattern)
    }
}
