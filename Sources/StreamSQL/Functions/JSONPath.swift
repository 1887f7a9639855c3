import StreamCore

/// A path as `get_json_object` takes it: `$.a.b[1]`, `$['a']`, `$.a[*].b`.
struct JSONPath {
    enum Step: Equatable {
        case name([UInt8])
        case index(Int)
        case anyElement
        case anyMember
    }

    let steps: [Step]

    /// Nil if the path cannot be read: then nothing matches.
    init?(_ path: UnsafeRawBufferPointer) {
        let bytes = Array(path)
        guard bytes.first == UInt8(ascii: "$") else { return nil }
        var steps: [Step] = []
        var index = 1
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: ".") {
                let start = index + 1
                index = start
                while index < bytes.count, bytes[index] != UInt8(ascii: "."), bytes[index] != UInt8(ascii: "[") {
                    index += 1
                }
                guard index > start else { return nil }
                let name = Array(bytes[start..<index])
                steps.append(name == [UInt8(ascii: "*")] ? .anyMember : .name(name))
            } else if bytes[index] == UInt8(ascii: "["), let close = bytes[index...].firstIndex(of: UInt8(ascii: "]")) {
                guard let step = Self.subscripted(bytes[(index + 1)..<close]) else { return nil }
                steps.append(step)
                index = close + 1
            } else {
                return nil
            }
            guard steps.count <= 200 else { return nil }
        }
        self.steps = steps
    }

    private static func subscripted(_ text: ArraySlice<UInt8>) -> Step? {
        if Array(text) == [UInt8(ascii: "*")] { return .anyElement }
        let quote = UInt8(ascii: "'")
        if text.count >= 2, text.first == quote, text.last == quote { return .name(Array(text.dropFirst().dropLast())) }
        guard !text.isEmpty, text.allSatisfy(\.isDigit), let index = Int(String(decoding: text, as: UTF8.self)) else {
            return nil
        }
        return .index(index)
    }

    /// Writes what matches; false if nothing does. One match stands as it is (text without quotes), several as a list.
    func append(_ tree: JSONTree, _ writer: inout BytesWriter) -> Bool {
        append(tree, 0, steps[...], isQuoted: false, &writer) > 0
    }

    private func append(
        _ tree: JSONTree, _ node: Int, _ steps: ArraySlice<Step>, isQuoted: Bool, _ writer: inout BytesWriter
    ) -> Int {
        let kind = tree.nodes[node].kind
        guard let step = steps.first else {
            if kind == .string, !isQuoted {
                writer.append(contentsOf: tree.string(node))
            } else {
                tree.append(node, &writer)
            }
            return 1
        }
        let rest = steps.dropFirst()
        switch (step, kind) {
        case (.name(let name), .object):
            // The first of equal names counts, and a null is no match.
            var found: Int?
            tree.forEachMember(node) { if found == nil, tree.isName($0, name) { found = $1 } }
            guard let found, tree.nodes[found].kind != .null else { return 0 }
            return append(tree, found, rest, isQuoted: isQuoted, &writer)
        case (.index(let place), .array):
            var left = place
            var found: Int?
            tree.forEachElement(node) { child in
                if left == 0 { found = child }
                left -= 1
                return found == nil
            }
            guard let found else { return 0 }
            return append(tree, found, rest, isQuoted: isQuoted, &writer)
        case (.anyElement, .array): return appendAll(tree, node, rest, isQuoted: isQuoted, &writer)
        default: return 0
        }
    }

    private func appendAll(
        _ tree: JSONTree, _ node: Int, _ steps: ArraySlice<Step>, isQuoted: Bool, _ writer: inout BytesWriter
    ) -> Int {
        var matches = BytesWriter()
        matches.start()
        var count = 0
        tree.forEachElement(node) { child in
            let start = matches.count
            if count > 0 { matches.append(UInt8(ascii: ",")) }
            let added = append(tree, child, steps, isQuoted: true, &matches)
            if added == 0 { matches.truncate(to: start) }
            count += added
            return true
        }
        guard count > 0 || isQuoted else { return 0 }
        let isList = count > 1 || isQuoted
        if isList { writer.append(UInt8(ascii: "[")) }
        writer.append(matches.arena.allBytes)
        if isList { writer.append(UInt8(ascii: "]")) }
        return 1
    }
}

extension BytesWriter {
    /// Takes back the bytes of this row behind `count`.
    mutating func truncate(to count: Int) { arena.truncate(to: arena.count - (self.count - count)) }
}

/// The path of a call: read once as long as it does not change.
final class JSONPathCache {
    private var text: [UInt8]?
    private var path: JSONPath?

    func path(_ bytes: UnsafeRawBufferPointer) -> JSONPath? {
        if let text, text.withUnsafeBytes({ UTF8Text.isEqual($0, bytes) }) { return path }
        text = Array(bytes)
        path = JSONPath(bytes)
        return path
    }
}
