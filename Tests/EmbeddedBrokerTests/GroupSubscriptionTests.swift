import Testing

@testable import EmbeddedBroker

/// ConsumerProtocolSubscription: int16 version, array of int16-prefixed names, and what is behind it.
@Suite struct GroupSubscriptionTests {
    @Test func namesAreReadWhateverFollowsThem() {
        let bytes: [UInt8] = [0, 3, 0, 0, 0, 2, 0, 1, 0x61, 0, 2, 0x62, 0x63, 0xff, 0xff, 0xff, 0xff]
        #expect(SubscriptionMetadata.topics(in: bytes) == ["a", "bc"])
        #expect(SubscriptionMetadata.topics(in: [0, 0, 0, 0, 0, 0]) == [])
    }

    @Test(
        arguments: [
            [], [0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 1, 0, 2, 0x61],
            [0, 0, 0xff, 0xff, 0xff, 0xff],
            [0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0], [0xff, 0xff, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0xff, 0xff],
            [0, 0, 0, 0, 0, 1, 0, 1, 0xff],
        ] as [[UInt8]])
    func bytesThatAreNoSubscriptionSayNothing(bytes: [UInt8]) {
        #expect(SubscriptionMetadata.topics(in: bytes) == nil)
    }
}
