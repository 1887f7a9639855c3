/// "did you mean …": the known name nearest to a misspelt one.
enum NameSuggestion {
    /// `, did you mean 'customer'?`, or nothing if no name is near.
    static func phrase(for name: String, among known: [String]) -> String {
        nearest(to: name, among: known).map { ", did you mean '\($0)'?" } ?? ""
    }

    static func nearest(to name: String, among known: [String]) -> String? {
        let wanted = Array(name.lowercased().utf8)
        let limit = max(1, wanted.count / 3)
        let scored = known.map { (name: $0, distance: distance(wanted, Array($0.lowercased().utf8))) }
        let best = scored.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        guard let best, best.distance <= limit else { return nil }
        return best.name
    }

    /// Edits (insert, delete, replace, swap of neighbours) between two short words.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        if abs(a.count - b.count) > 20 || a.count > 200 { return .max }
        var before = [Int](repeating: 0, count: b.count + 1)
        var previous = Array(0...b.count)
        for i in a.indices {
            var current = [i + 1] + [Int](repeating: 0, count: b.count)
            for j in b.indices {
                let replaced = previous[j] + (a[i] == b[j] ? 0 : 1)
                current[j + 1] = min(previous[j + 1] + 1, current[j] + 1, replaced)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    current[j + 1] = min(current[j + 1], before[j - 1] + 1)
                }
            }
            before = previous
            previous = current
        }
        return previous[b.count]
    }
}
