import StreamCore

/// Functions that cut a part out of a text: results are views into the argument's bytes, nothing is copied.
enum TextPartFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("substring", aliases: ["substr"], substringSignature) { call in
            let (start, length) = (call.int32s(1), call.arguments.count > 2 ? call.int32s(2) : nil)
            return part(call) { text, row in
                TextSlice.range(text, from: Int(start[row]), length: length.map { Int($0[row]) })
            }
        },
        ScalarFunction("left", sideSignature) { call in
            let length = call.int32s(1)
            return part(call) { TextSlice.range($0, from: 1, length: Int(length[$1])) }
        },
        ScalarFunction("right", sideSignature) { call in
            let length = call.int32s(1)
            return part(call) { text, row in
                length[row] > 0 ? TextSlice.range(text, from: -Int(length[row]), length: nil) : 0..<0
            }
        },
        ScalarFunction("substring_index", .exact([.string, .string, .int32], returns: .string)) { call in
            let (delimiter, count) = (call.bytes(1), call.int32s(2))
            return part(call) { TextSlice.beforeDelimiter($0.bytes, delimiter[$1], count: Int(count[$1])) }
        },
        ScalarFunction("split_part", .exact([.string, .string, .int32], returns: .string)) { call in
            let (input, delimiter, index) = (call.bytes(0), call.bytes(1), call.int32s(2))
            return call.part(of: input) { (row) throws(RowError) in
                guard index[row] != 0 else { throw RowError("INVALID_INDEX_OF_ZERO", "parts are counted from 1") }
                let range = TextSlice.part(input[row], delimiter[row], number: Int(index[row]))
                return input.view(row).part(range)
            }
        },
        trim("trim", aliases: ["btrim"], left: true, right: true),
        trim("ltrim", left: true, right: false),
        trim("rtrim", left: false, right: true),
    ]

    private static let substringSignature = Signature.custom(2...3) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let type: DataType = typing.type(0) == .binary ? .binary : .string
        try typing.coerce(0, to: type)
        for index in 1..<typing.count { try typing.coerce(index, to: .int32) }
        return ResultType(type)
    }

    private static let sideSignature = Signature.custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
        let type: DataType = typing.type(0) == .binary ? .binary : .string
        try typing.coerce(0, to: type)
        try typing.coerce(1, to: .int32)
        return ResultType(type)
    }

    /// A row's bytes, and whether their characters are single bytes.
    struct Subject {
        let bytes: UnsafeRawBufferPointer
        let isBinary: Bool
    }

    private static func part(_ call: Call, _ body: (Subject, Int) -> Range<Int>) -> Column {
        let input = call.bytes(0)
        let isBinary = call.type == .binary
        return call.part(of: input) { input.view($0).part(body(Subject(bytes: input[$0], isBinary: isBinary), $0)) }
    }

    private static func trim(_ name: String, aliases: [String] = [], left: Bool, right: Bool) -> ScalarFunction {
        ScalarFunction(name, aliases: aliases, .exact([.string], optional: [.string], returns: .string)) { call in
            let input = call.bytes(0)
            guard call.arguments.count > 1 else {
                let blank = CharacterSet([UInt8(ascii: " ")])
                return call.part(of: input) { input.view($0).part(blank.trimmed(input[$0], left: left, right: right)) }
            }
            let characters = call.bytes(1)
            return call.part(of: input) { row in
                input.view(row).part(CharacterSet(characters[row]).trimmed(input[row], left: left, right: right))
            }
        }
    }
}

extension ByteView {
    /// A part of this view, as bytes from its start.
    func part(_ range: Range<Int>) -> ByteView { ByteView(start: Int(start) + range.lowerBound, length: range.count) }
}

/// Where parts of a text lie, in bytes.
enum TextSlice {
    /// As Spark's `substring`: positions from 1, 0 is 1, negative ones count from the end, and a start before the
    /// beginning eats into the length.
    static func range(_ subject: TextPartFunctions.Subject, from position: Int, length: Int?) -> Range<Int> {
        let bytes = subject.bytes
        var start = position > 0 ? position - 1 : 0
        if position < 0 { start = (subject.isBinary ? bytes.count : UTF8Text.length(bytes)) + position }
        // Both are 32-bit numbers: the sum does not overflow.
        let end = length.map { start + $0 } ?? .max
        guard end > start, end > 0 else { return 0..<0 }
        let first = max(0, start)
        if subject.isBinary { return min(first, bytes.count)..<min(end, bytes.count) }
        let from = UTF8Text.offset(bytes, ofPoint: first)
        guard end < .max else { return from..<bytes.count }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[from...])
        return from..<from + UTF8Text.offset(rest, ofPoint: end - first)
    }

    /// What stands before the delimiter number `count`, or behind it counted from the end where `count` is negative.
    static func beforeDelimiter(
        _ bytes: UnsafeRawBufferPointer, _ delimiter: UnsafeRawBufferPointer, count: Int
    ) -> Range<Int> {
        guard count != 0, !delimiter.isEmpty else { return 0..<0 }
        if count > 0 {
            var left = count
            var start = 0
            while let place = UTF8Text.find(delimiter, in: bytes, from: start) {
                left -= 1
                if left == 0 { return 0..<place }
                start = place + 1
            }
            return 0..<bytes.count
        }
        var left = -count
        var end = bytes.count
        while let place = lastPlace(of: delimiter, in: bytes, endingBefore: end) {
            left -= 1
            if left == 0 { return place + delimiter.count..<bytes.count }
            end = place + delimiter.count - 1
        }
        return 0..<bytes.count
    }

    /// Part number `number` (from 1, or from the end) between delimiters; empty if there are not so many.
    static func part(
        _ bytes: UnsafeRawBufferPointer, _ delimiter: UnsafeRawBufferPointer, number: Int
    ) -> Range<Int> {
        guard !delimiter.isEmpty else { return abs(number) == 1 ? 0..<bytes.count : 0..<0 }
        if number < 0 { return partFromEnd(bytes, delimiter, number: -number) }
        var left = number
        var start = 0
        while true {
            let end = UTF8Text.find(delimiter, in: bytes, from: start)
            left -= 1
            if left == 0 { return start..<(end ?? bytes.count) }
            guard let end else { return 0..<0 }
            start = end + delimiter.count
        }
    }

    /// Parts are found from the left, also where they are counted from the right.
    private static func partFromEnd(
        _ bytes: UnsafeRawBufferPointer, _ delimiter: UnsafeRawBufferPointer, number: Int
    ) -> Range<Int> {
        var count = 1
        var start = 0
        while let place = UTF8Text.find(delimiter, in: bytes, from: start) {
            count += 1
            start = place + delimiter.count
        }
        return number <= count ? part(bytes, delimiter, number: count - number + 1) : 0..<0
    }

    static func lastPlace(
        of needle: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer, endingBefore end: Int
    ) -> Int? {
        var place = end - needle.count
        while place >= 0 {
            if UTF8Text.isEqual(UnsafeRawBufferPointer(rebasing: bytes[place..<place + needle.count]), needle) {
                return place
            }
            place -= 1
        }
        return nil
    }
}

/// Characters to be cut off at the ends of a text.
struct CharacterSet {
    /// A bit for each ASCII character.
    private var low: (UInt64, UInt64) = (0, 0)
    /// The others, each as its bytes.
    private var others: [[UInt8]] = []

    init(_ characters: some Sequence<UInt8>) {
        var pending: [UInt8] = []
        for byte in characters {
            if byte & 0xC0 == 0x80 {
                pending.append(byte)
                continue
            }
            if !pending.isEmpty { others.append(pending) }
            pending = []
            if byte < 64 {
                low.0 |= 1 << UInt64(byte)
            } else if byte < 128 {
                low.1 |= 1 << UInt64(byte - 64)
            } else {
                pending = [byte]
            }
        }
        if !pending.isEmpty { others.append(pending) }
    }

    @inline(__always)
    private func contains(_ byte: UInt8) -> Bool {
        byte < 64 ? low.0 >> UInt64(byte) & 1 != 0 : byte < 128 ? low.1 >> UInt64(byte - 64) & 1 != 0 : false
    }

    func trimmed(_ bytes: UnsafeRawBufferPointer, left: Bool, right: Bool) -> Range<Int> {
        var start = 0
        var end = bytes.count
        while left, start < end {
            if contains(bytes[start]) {
                start += 1
            } else if let other = others.first(where: { bytes[start..<end].starts(with: $0) }) {
                start += other.count
            } else {
                break
            }
        }
        while right, end > start {
            if contains(bytes[end - 1]) {
                end -= 1
            } else if let other = others.first(where: { bytes[start..<end].suffix($0.count).elementsEqual($0) }) {
                end -= other.count
            } else {
                break
            }
        }
        return start..<end
    }
}
