import StreamCore

/// `to_number`, `try_to_number`, `to_char`: numbers by a template of `9 0 . D , G $ S MI PR`.
enum NumberTemplateFunctions {
    static let all: [ScalarFunction] = [
        reader("to_number", isTry: false), reader("try_to_number", isTry: true),
        ScalarFunction(
            "to_char", aliases: ["to_varchar"],
            .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                if [.date, .timestamp].contains(typing.type(0)) { return try dateFormat(&typing) }
                let template = try template(&typing)
                if !Coercion.isDecimal(typing.type(0)) {
                    let type = Coercion.decimal(for: typing.type(0)) ?? template.type
                    typing.arguments[0] = typing.arguments[0].cast(to: type)
                }
                return ResultType(.string)
            }
        ) { call in
            guard let template = NumberTemplate(call.bytes(1).text(0)) else { return call.nothing() }
            let (value, scale) = (call.decimals(0), call.scale(0))
            return call.text { template.text(value[$0], scale: scale) }
        },
    ]

    /// On dates and timestamps `to_char` is `date_format`.
    private static func dateFormat(_ typing: inout CallTyping) throws(SyntaxIssue) -> ResultType {
        guard FunctionRegistry.standard["date_format"] != nil else {
            throw typing.issue("UNRESOLVED_ROUTINE", "'\(typing.name)' of dates is not supported yet")
        }
        return typing.replace(with: try typing.call("date_format", typing.arguments))
    }

    private static func reader(_ name: String, isTry: Bool) -> ScalarFunction {
        ScalarFunction(
            name,
            .custom(2...2) { (typing: inout CallTyping) throws(SyntaxIssue) in
                let template = try template(&typing)
                try typing.coerce(0, to: .string)
                return ResultType(template.type)
            }, isTry: isTry
        ) { call in
            guard let template = NumberTemplate(call.bytes(1).text(0)) else { return call.nothing() }
            let text = call.bytes(0)
            let mismatch = RowError("INVALID_FORMAT.MISMATCH_INPUT", "the text does not have the form of the template")
            return call.decimal { (row) throws(RowError) in
                guard let value = template.number(text[row]) else { throw mismatch }
                return value
            }
        }
    }

    /// The constant second argument.
    private static func template(_ typing: inout CallTyping) throws(SyntaxIssue) -> NumberTemplate {
        guard let text = typing.literalText(1) else {
            throw typing.issue(
                "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the template of '\(typing.name)' must be a constant", at: 1)
        }
        guard let template = NumberTemplate(text) else {
            throw typing.issue("INVALID_FORMAT.UNEXPECTED_TOKEN", "this is no template of a number", at: 1)
        }
        return template
    }
}

/// A template: digits with groups, an optional point with digits behind it, an optional `$` in front, and a sign at one
/// end.
struct NumberTemplate {
    private enum Sign { case none, leading, trailing, leadingMinus, trailingMinus, brackets }

    /// `9`, `0` and `,` before the point.
    private var whole: [UInt8] = []
    private var fraction = 0
    private var hasPoint = false
    private var hasCurrency = false
    private var sign = Sign.none

    init?(_ text: String) {
        var rest = Array(text.uppercased().utf8)[...]
        func take(_ prefix: String) -> Bool {
            guard rest.starts(with: prefix.utf8) else { return false }
            rest = rest.dropFirst(prefix.utf8.count)
            return true
        }
        if take("S") { sign = .leading } else if take("MI") { sign = .leadingMinus }
        hasCurrency = take("$")
        while let byte = rest.first, "90,G".utf8.contains(byte) {
            whole.append(byte == UInt8(ascii: "G") ? UInt8(ascii: ",") : byte)
            rest = rest.dropFirst()
        }
        if take(".") || take("D") {
            hasPoint = true
            while let byte = rest.first, byte == UInt8(ascii: "9") || byte == UInt8(ascii: "0") {
                fraction += 1
                rest = rest.dropFirst()
            }
        }
        if sign == .none {
            if take("S") {
                sign = .trailing
            } else if take("MI") {
                sign = .trailingMinus
            } else if take("PR") {
                sign = .brackets
            }
        }
        let comma = UInt8(ascii: ",")
        guard rest.isEmpty, places + fraction > 0, places + fraction <= 38, whole.first != comma, whole.last != comma
        else {
            return nil
        }
    }

    private var places: Int { whole.count { $0 != UInt8(ascii: ",") } }

    /// What fits the template.
    var type: DataType { .decimal(precision: places + fraction, scale: fraction) }

    // MARK: - Reading

    /// The unscaled value at the template's scale; nil if the text does not follow the template.
    func number(_ bytes: UnsafeRawBufferPointer) -> Int128? {
        var rest = Array(bytes.trimmed)[...]
        guard let isNegative = takeSign(&rest) else { return nil }
        if hasCurrency, rest.first == UInt8(ascii: "$") { rest = rest.dropFirst() }
        let parts = rest.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let tail = parts.count > 1 ? parts[1] : []
        guard parts.count == 1 || hasPoint, tail.count <= fraction, tail.allSatisfy(\.isDigit) else { return nil }
        guard var value = wholeNumber(Array(parts[0])) else { return nil }
        guard parts[0].count + tail.count > 0 else { return nil }
        for byte in tail { value = value * 10 + Int128(byte - 0x30) }
        value *= Decimals.powers[fraction - tail.count]
        return isNegative ? -value : value
    }

    private func takeSign(_ rest: inout ArraySlice<UInt8>) -> Bool? {
        let (minus, plus) = (UInt8(ascii: "-"), UInt8(ascii: "+"))
        switch sign {
        case .none: return false
        case .leading, .leadingMinus:
            guard let first = rest.first, first == minus || (first == plus && sign == .leading) else { return false }
            rest = rest.dropFirst()
            return first == minus
        case .trailing, .trailingMinus:
            guard let last = rest.last, last == minus || (last == plus && sign == .trailing) else { return false }
            rest = rest.dropLast()
            return last == minus
        case .brackets:
            guard rest.first == UInt8(ascii: "<") else { return false }
            guard rest.last == UInt8(ascii: ">"), rest.count > 1 else { return nil }
            rest = rest.dropFirst().dropLast()
            return true
        }
    }

    /// Digits from the right against the template: commas exactly where it has them, and no more digits than it
    /// has; fewer may stand.
    private func wholeNumber(_ digits: [UInt8]) -> Int128? {
        guard digits.count <= whole.count else { return nil }
        var value: Int128 = 0
        for (byte, place) in zip(digits, whole.suffix(digits.count)) {
            if place == UInt8(ascii: ",") {
                guard byte == place else { return nil }
            } else {
                guard byte.isDigit else { return nil }
                value = value * 10 + Int128(byte - 0x30)
            }
        }
        return value
    }

    // MARK: - Writing

    /// As long as the template; number signs where the value has more digits than it.
    func text(_ value: Int128, scale: Int) -> String {
        var digits = Array(String(value.magnitude).utf8)
        if digits.count <= scale { digits = [UInt8](repeating: 0x30, count: scale + 1 - digits.count) + digits }
        var front = Array(digits.dropLast(scale).drop { $0 == 0x30 })
        var back = Array(digits.suffix(scale).prefix(fraction))
        back += [UInt8](repeating: 0x30, count: fraction - back.count)
        let isTooLong = front.count > places || digits.suffix(scale).dropFirst(fraction).contains { $0 != 0x30 }
        if isTooLong { back = back.map { _ in UInt8(ascii: "#") } }
        var body: [UInt8] = []
        for place in whole.reversed() {
            if place == UInt8(ascii: ",") {
                body.append(front.isEmpty && !isTooLong && !needsZero(body.count) ? 0x20 : place)
            } else if isTooLong {
                body.append(UInt8(ascii: "#"))
            } else {
                body.append(front.popLast() ?? (needsZero(body.count) ? 0x30 : 0x20))
            }
        }
        body.reverse()
        if hasPoint { body += [UInt8(ascii: ".")] + back }
        return String(decoding: signed(body, isNegative: value < 0), as: UTF8.self)
    }

    /// Whether a 0 of the template stands at this place (counted from the right) or left of it.
    private func needsZero(_ place: Int) -> Bool { whole.dropLast(place).contains(0x30) }

    private func signed(_ body: [UInt8], isNegative: Bool) -> [UInt8] {
        // Sign and currency go before the first digit, behind the blanks.
        let blanks = Array(body.prefix { $0 == 0x20 })
        let number = (hasCurrency ? [UInt8(ascii: "$")] : []) + body.dropFirst(blanks.count)
        let mark: [UInt8] = isNegative ? [UInt8(ascii: "-")] : [UInt8(ascii: "+")]
        switch sign {
        case .none: return blanks + number
        case .leading: return blanks + mark + number
        case .leadingMinus: return blanks + (isNegative ? mark : [0x20]) + number
        case .trailing: return blanks + number + mark
        case .trailingMinus: return blanks + number + (isNegative ? mark : [0x20])
        case .brackets:
            return isNegative ? blanks + [UInt8(ascii: "<")] + number + [UInt8(ascii: ">")] : blanks + number
        }
    }
}
