/// Names of files for names of anything.
enum FileName {
    /// Readable at its beginning, and unlike that of any other text.
    static func of(_ text: String) -> String {
        let readable = text.utf8.prefix(80).map { byte -> Character in
            let scalar = Unicode.Scalar(byte)
            let isPlain = byte < 128 && (scalar.properties.isAlphabetic || (48...57).contains(byte) || byte == 45)
            return isPlain ? Character(scalar) : "-"
        }
        let digits = String(hash(text), radix: 16)
        return String(readable) + "-" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// FNV-1a: the same in every process.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
