import Testing

@testable import EmbeddedBroker

/// ConsumerProtocolSubscription: int16 version, array of int16-prefixed names, and what is behind it.
@Suite struct GroupSubscriptionTests {
    @Test func namesAreReadWhateverFollowsThem() {
        let bytes: [UInt8] = [0, 3, 0, 0, 0, 2, 0, 1, 0x61, 0, 2, 0x62, 0x63, 0xff, 0xff, 0xff, 0xff]
        #expect(SubscriptionMetadata.topics(in: bytes) == ["a", "bc"])
        #expect(SubscriptionMetadata.topics(in: [0, 0, 0, 0, 0, 0]) == [])
    }

    /// What Kafka's ConsumerProtocol makes of the topics "eins" and "zwei", two bytes of user data, the owned partition
    /// 3 of "eins", generation 7 and the rack "rack".
    @Test(arguments: [0, 1, 2, 3] as [UInt8])
    func subscriptionsOfKafkasClientAreRead(version: UInt8) {
        let head: [UInt8] = [0, version, 0, 0, 0, 2, 0, 4] + Array("eins".utf8) + [0, 4] + Array("zwei".utf8)
        let owned: [UInt8] = [0, 0, 0, 1, 0, 4] + Array("eins".utf8) + [0, 0, 0, 1, 0, 0, 0, 3]
        var bytes = head + [0, 0, 0, 2, 1, 2]
        if version >= 1 { bytes += owned }
        if version >= 2 { bytes += [0, 0, 0, 7] }
        if version >= 3 { bytes += [0, 4] + Array("rack".utf8) }
        #expect(SubscriptionMetadata.topics(in: bytes) == ["eins", "zwei"])
        for length in 0..<head.count { #expect(SubscriptionMetadata.topics(in: Array(bytes.prefix(length))) == nil) }
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
