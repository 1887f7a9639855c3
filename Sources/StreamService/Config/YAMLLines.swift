/// The lines of a YAML file, to find where the lines of a scalar's text stand in it.
struct YAMLLines {
    private let bytes: [UInt8]
    private let starts: [Int]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        starts = [0] + bytes.indices.lazy.filter { bytes[$0] == 10 }.map { $0 + 1 }
    }

    /// Where the first line of the text begins, if each line of the text is a line of the file (literal blocks) or
    /// there is but one line without escapes; nil otherwise.
    func firstLine(of scalar: YAMLScalar) -> YAMLMark? {
        let isOneLine = scalar.start.line == scalar.end.line
        switch scalar.style {
        case .plain: return isOneLine ? scalar.start : nil
        case .quoted:
            guard isOneLine, scalar.text.unicodeScalars.count == scalar.end.column - scalar.start.column - 2 else {
                return nil
            }
            return YAMLMark(line: scalar.start.line, column: scalar.start.column + 1)
        case .literal:
            return YAMLMark(line: scalar.start.line + 1, column: indentation(of: scalar))
        case .folded: return nil
        }
    }

    /// How far a literal block is indented: what stands in the file before its first line that is not empty.
    private func indentation(of scalar: YAMLScalar) -> Int {
        let content = scalar.text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let index = content.firstIndex(where: { !$0.isEmpty }), scalar.start.line + 1 + index < starts.count
        else { return 0 }
        return max(
            0, text(ofLine: scalar.start.line + 1 + index).unicodeScalars.count - content[index].unicodeScalars.count)
    }

    private func text(ofLine line: Int) -> String {
        var end = line + 1 < starts.count ? starts[line + 1] - 1 : bytes.count
        if end > starts[line], bytes[end - 1] == 13 { end -= 1 }
        return String(decoding: bytes[starts[line]..<end], as: UTF8.self)
    }
}
