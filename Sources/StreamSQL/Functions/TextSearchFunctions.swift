import StreamCore

/// Functions that look for one text in another. Positions count code points from 1; 0 is "nowhere".
enum TextSearchFunctions {
    static let all: [ScalarFunction] = [
        predicate("contains") { UTF8Text.find($1, in: $0) != nil },
        predicate("startswith") { text, part in
            text.count >= part.count
                && UTF8Text.isEqual(UnsafeRawBufferPointer(rebasing: text.prefix(part.count)), part)
        },
        predicate("endswith") { text, part in
            text.count >= part.count
                && UTF8Text.isEqual(UnsafeRawBufferPointer(rebasing: text.suffix(part.count)), part)
        },
        ScalarFunction("instr", .exact([.string, .string], returns: .int32)) { call in
            let (text, part) = (call.bytes(0), call.bytes(1))
            return call.int32 { place(of: part[$0], in: text[$0], from: 1) }
        },
        ScalarFunction(
            "locate", aliases: ["position", "charindex"],
            .exact([.string, .string], optional: [.int32], returns: .int32)
        ) { call in
            let (part, text) = (call.bytes(0), call.bytes(1))
            let start = call.arguments.count > 2 ? call.int32s(2) : nil
            return call.int32 { row in place(of: part[row], in: text[row], from: start.map { Int($0[row]) } ?? 1) }
        },
        ScalarFunction("find_in_set", .exact([.string, .string], returns: .int32)) { call in
            let (word, list) = (call.bytes(0), call.bytes(1))
            return call.int32 { placeInList(word[$0], list[$0]) }
        },
        ScalarFunction("ascii", .exact([.string], returns: .int32)) { call in
            let text = call.bytes(0)
            return call.int32 { UTF8Text.firstScalar(text[$0]).map { Int32(truncatingIfNeeded: $0.value) } ?? 0 }
        },
        ScalarFunction("levenshtein", .exact([.string, .string], optional: [.int32], returns: .int32)) { call in
            let (a, b) = (call.bytes(0), call.bytes(1))
            let limit = call.arguments.count > 2 ? call.int32s(2) : nil
            return call.int32 { (row) throws(RowError) in
                let distance = try EditDistance.levenshtein(a[row], b[row])
                if let limit, distance > Int(limit[row]) { return -1 }
                return Int32(truncatingIfNeeded: distance)
            }
        },
        ScalarFunction("soundex", .exact([.string], returns: .string)) { call in
            let text = call.bytes(0)
            return call.bytes { row, writer in
                Soundex.append(text[row], to: &writer)
                return true
            }
        },
        ScalarFunction("luhn_check", .exact([.string], returns: .boolean)) { call in
            let text = call.bytes(0)
            return call.boolean { LuhnNumber.isValid(text[$0]) }
        },
    ]

    private static func predicate(
        _ name: String, _ holds: @escaping @Sendable (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) -> ScalarFunction {
        let signature = Signature.custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
            let type: DataType = typing.type(0) == .binary && typing.type(1) == .binary ? .binary : .string
            for index in 0..<2 { try typing.coerce(index, to: type) }
            return ResultType(.boolean)
        }
        return ScalarFunction(name, signature) { call in
            let (text, part) = (call.bytes(0), call.bytes(1))
            return call.boolean { holds(text[$0], part[$0]) }
        }
    }

    private static func place(of part: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer, from start: Int)
        -> Int32
    {
        guard start > 0 else { return 0 }
        if part.isEmpty { return 1 }
        let first = start == 1 ? 0 : UTF8Text.offset(text, ofPoint: start - 1)
        guard let place = UTF8Text.find(part, in: text, from: first) else { return 0 }
        let before = UTF8Text.length(UnsafeRawBufferPointer(rebasing: text[..<place]))
        return Int32(truncatingIfNeeded: before + 1)
    }

    private static func placeInList(_ word: UnsafeRawBufferPointer, _ list: UnsafeRawBufferPointer) -> Int32 {
        let comma = UInt8(ascii: ",")
        guard !word.contains(comma) else { return 0 }
        var start = 0
        var number: Int32 = 1
        while true {
            let end = list[start...].firstIndex(of: comma) ?? list.count
            if UTF8Text.isEqual(UnsafeRawBufferPointer(rebasing: list[start..<end]), word) { return number }
            guard end < list.count else { return 0 }
            start = end + 1
            number &+= 1
        }
    }
}

extension UTF8Text {
    static func firstScalar(_ bytes: UnsafeRawBufferPointer) -> Unicode.Scalar? {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        if case .scalarValue(let scalar) = decoder.decode(&iterator) { return scalar }
        return bytes.isEmpty ? nil : "\u{FFFD}"
    }
}

enum EditDistance {
    /// The least number of characters to insert, delete or replace. Memory is linear; time is the product of the
    /// lengths, so that is limited.
    static func levenshtein(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) throws(RowError) -> Int {
        let x = Array(String(decoding: a, as: UTF8.self).unicodeScalars)
        let y = Array(String(decoding: b, as: UTF8.self).unicodeScalars)
        if x.isEmpty || y.isEmpty { return max(x.count, y.count) }
        guard x.count.multipliedReportingOverflow(by: y.count).partialValue <= 100_000_000 else {
            throw RowError("COLLECTION_SIZE_LIMIT_EXCEEDED", "the texts are too long to be compared")
        }
        var row = Array(0...y.count)
        for i in 1...x.count {
            var diagonal = row[0]
            row[0] = i
            for j in 1...y.count {
                let replaced = diagonal + (x[i - 1] == y[j - 1] ? 0 : 1)
                diagonal = row[j]
                row[j] = min(replaced, row[j] + 1, row[j - 1] + 1)
            }
        }
        return row[y.count]
    }
}

enum Soundex {
    /// The codes of A…Z; 7 is a letter that is skipped (H and W).
    private static let codes = Array("01230127022455012623017202".utf8)

    /// The code of a word, or the text itself if it begins with no letter.
    static func append(_ text: UnsafeRawBufferPointer, to writer: inout BytesWriter) {
        guard let first = text.first, (0x41...0x5A).contains(first & 0xDF) else {
            writer.append(text)
            return
        }
        var result: [UInt8] = [first & 0xDF]
        var last = codes[Int(first & 0xDF) - 0x41]
        for byte in text.dropFirst() where result.count < 4 {
            let letter = byte & 0xDF
            guard byte < 0x80, (0x41...0x5A).contains(letter) else {
                last = 0x30
                continue
            }
            let code = codes[Int(letter) - 0x41]
            if code == 0x37 { continue }
            if code != 0x30, code != last { result.append(code) }
            last = code
        }
        while result.count < 4 { result.append(0x30) }
        writer.append(contentsOf: result)
    }
}

enum LuhnNumber {
    static func isValid(_ digits: UnsafeRawBufferPointer) -> Bool {
        var sum = 0
        var isDoubled = false
        for byte in digits.reversed() {
            guard byte.isDigit else { return false }
            var digit = Int(byte - 0x30)
            if isDoubled { digit = digit > 4 ? digit * 2 - 9 : digit * 2 }
            sum = (sum + digit) % 10
            isDoubled.toggle()
        }
        return sum == 0 && !digits.isEmpty
    }
}
