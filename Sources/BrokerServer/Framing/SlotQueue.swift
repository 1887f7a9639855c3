/// Puts answers into the order of their questions: a slot is opened for each question, filled once, and taken from the
/// front when it is filled.
struct SlotQueue<Value> {
    private enum Slot {
        case open
        case filled(Value)
    }

    let capacity: Int
    private var slots: [Slot] = []
    /// The index of the oldest slot in `slots`; those before it were taken.
    private var head = 0
    /// The sequence of the slot at `head`.
    private var first: UInt64 = 0

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    /// Slots that were opened and not taken.
    var count: Int { slots.count &- head }
    var isFull: Bool { count >= capacity }

    /// - Returns: the new slot's number, one more than the one before; nil when there are too many.
    mutating func open() -> UInt64? {
        guard !isFull else { return nil }
        slots.append(.open)
        return first &+ UInt64(count &- 1)
    }

    /// - Returns: false where there is no such open slot: it was filled before, or never opened.
    mutating func fill(_ sequence: UInt64, with value: Value) -> Bool {
        guard sequence >= first, sequence &- first < UInt64(count) else { return false }
        let index = head &+ Int(sequence &- first)
        guard case .open = slots[index] else { return false }
        slots[index] = .filled(value)
        return true
    }

    /// - Returns: the oldest slot's value; nil while it is open, or none is there.
    mutating func next() -> Value? {
        guard head < slots.count, case .filled(let value) = slots[head] else { return nil }
        slots[head] = .open
        head &+= 1
        first &+= 1
        if head == slots.count {
            slots.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 64 {
            slots.removeFirst(head)
            head = 0
        }
        return value
    }
}
