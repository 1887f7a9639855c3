import GenerateConnector
import StreamCore

/// The clicks that a demo makes up, as examples/clicks/pipeline.yaml reads them: most visitors look, some put a thing
/// into the cart, one in ten buys. About one record in two hundred is garbage: cut off, or with text for a number.
enum ClickTemplate {
    /// - Parameters:
    ///   - rate: records a second.
    ///   - startTimeMs: the time of the first click, in milliseconds since 1970-01-01 UTC.
    static func config(rate: Double, seed: UInt64, startTimeMs: Int64) throws(TemplateProblem) -> GenerateConfig {
        GenerateConfig(
            rate: rate, value: try Template(value), key: try Template("user-{{int:1..500}}"), seed: seed,
            startTimeMs: startTimeMs)
    }

    static var value: String {
        let events = repeated([("view", 14), ("add_to_cart", 4), ("purchase", 2)])
        let pages = "/Home|/Search|/Shoes/Runner|/Shoes/Boot|/Books/Atlas|/Garden/Spade|/Sale|/Checkout"
        let quantity = repeated([("1", 250), ("2", 100), ("3", 49), ("\"many\"", 1)])
        let end = repeated([("}", 399), (", \"cut", 1)])
        return "{\"user_id\":\"u{{int:1..500}}\",\"page\":\"{{choice:\(pages)}}\",\"event\":\"{{choice:\(events)}}\","
            + "\"price\":{{decimal:0.99..249.99}},\"quantity\":{{choice:\(quantity)}},\"ts\":\"{{timestamp}}\","
            + "\"device\":{\"os\":\"{{choice:ios|android|linux|windows|macos}}\",\"mobile\":{{bool}}}{{choice:\(end)}}"
    }

    /// A choice in which each word is as likely as its number says.
    private static func repeated(_ words: [(text: String, times: Int)]) -> String {
        words.flatMap { Array(repeating: $0.text, count: $0.times) }.joined(separator: "|")
    }
}
