/// What of the golden file is not ours (yet), each with its reason.
enum GoldenScope {
    /// Groups that are complete: there a function that is missing is a failure.
    static let completeGroups: Set<String> = [
        "cast", "arith", "math", "string", "conditional", "datetime", "collection", "json",
    ]

    /// Parts of an expression that put it out of scope.
    private static let reasons: [(part: String, reason: String)] = [
        ("->", "lambda functions are a later issue"),
        ("timestamp_ntz", "TIMESTAMP_NTZ is no type of ours yet"),
        ("localtimestamp", "TIMESTAMP_NTZ is no type of ours yet"),
        ("time'", "TIME is no type of ours yet"),
        ("variant", "VARIANT is no type of ours yet"),
        ("parse_json", "VARIANT is no type of ours yet"),
        ("explode", "generators are a later issue"), ("inline(", "generators are a later issue"),
        ("stack(", "generators are a later issue"), ("json_tuple", "generators are a later issue"),
        ("window(", "windows are a later issue"),
        ("collate(", "collations are not supported"),
        ("sentences(", "natural-language functions are not supported"),
        ("to_xml", "XML is not supported"),
    ]

    /// Rows whose recorded result shows the tool that recorded it, not Spark.
    private static let artefacts: [String: String] = [
        "make_interval(1, 2, 0, 3)": "the recorded error is the recorder's",
        "make_dt_interval(1, 2, 3, 4.5)": "the recorded error is the recorder's",
        "interval 2 day * 1.5": "the recorded error is the recorder's",
        "from_json('{\"a\":1,\"b\":\"x\"}', 'a INT, b INT', map('mode', 'FAILFAST'))":
            "the recorded error is the bridge's",
        "to_json(named_struct('i', interval 1 day))": "a struct does not keep the units of an interval",
        "cast('+10000-01-01' as date)": "the recorded error is Python's",
    ]

    static func reason(_ row: GoldenFile.Row) -> String? {
        if let reason = artefacts[row.expression] { return reason }
        if let reason = reasons.first(where: { row.expression.lowercased().contains($0.part) })?.reason {
            return reason
        }
        guard !completeGroups.contains(row.group) else { return nil }
        // In families that are still growing, a function that is not registered is out of scope by name.
        if case .failure(let code) = GoldenTests.evaluate(row.expression), code == "UNRESOLVED_ROUTINE" {
            return "a function that is not supported yet"
        }
        return nil
    }
}
