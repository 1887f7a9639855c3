import StreamCore
import Testing

@Suite struct StableHashTests {
    /// XXH64 with seed 0, as published with xxHash and its ports.
    @Test(
        arguments: [
            ("", 0xef46_db37_51d8_e999), ("a", 0xd24e_c4f1_a98c_6e5b), ("abc", 0x44bc_2cf5_ad77_0999),
            ("Nobody inspects the spammish repetition", 0xfbce_a83c_8a37_8bf1),
            ("Call me Ishmael. Some years ago--never mind how long precisely-", 0x02a2_e854_70d6_fd96),
        ] as [(String, UInt64)])
    func agreesWithPublishedVectors(_ text: String, _ expected: UInt64) {
        #expect(StableHash.hash(text) == expected)
        #expect(StableHash.hash(Array(text.utf8)) == expected)
    }
}
