/// Makes text from outside safe to show on one line: control characters (escape sequences, line breaks) become visible.
package enum LogText {
    package static func singleLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = ""
        result.reserveCapacity(text.utf8.count + 8)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isControl(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A field's value as logfmt has it: quoted where it holds a blank, a quote or an equals sign, or is empty.
    package static func value(_ text: String) -> String {
        let line = singleLine(text)
        let plain = !line.isEmpty && !line.utf8.contains { $0 == 0x20 || $0 == 0x22 || $0 == 0x3D }
        if plain { return line }
        var quoted = "\""
        for character in line {
            if character == "\"" || character == "\\" { quoted.append("\\") }
            quoted.append(character)
        }
        return quoted + "\""
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        // C0, DEL, C1, and the characters that break lines or turn the direction of text.
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
