/// The topics in the metadata of the `consumer` protocol (ConsumerProtocolSubscription): a version, an array of names,
/// and what later versions add behind it.
enum SubscriptionMetadata {
    /// Nil where the bytes are not what they should be; then nothing is known about the member's topics.
    static func topics(in metadata: [UInt8]) -> [String]? {
        var rest = metadata[...]
        guard let version = integer(of: 2, from: &rest), version < 0x8000, let count = integer(of: 4, from: &rest),
            // Each name takes two bytes at the least.
            count <= rest.count / 2
        else { return nil }
        var topics: [String] = []
        for _ in 0..<count {
            guard let length = integer(of: 2, from: &rest), length < 0x8000, length <= rest.count,
                let name = String(validating: rest.prefix(length), as: UTF8.self)
            else { return nil }
            topics.append(name)
            rest = rest.dropFirst(length)
        }
        return topics
    }

    private static func integer(of bytes: Int, from rest: inout ArraySlice<UInt8>) -> Int? {
        guard rest.count >= bytes else { return nil }
        let value = rest.prefix(bytes).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(bytes)
        return value
    }
}
