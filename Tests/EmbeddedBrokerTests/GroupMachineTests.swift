import Testing

@testable import EmbeddedBroker

typealias Table = [(GroupScript.Step, [String])]

func check(_ table: Table, settings: GroupSettings = .immediate, _ location: SourceLocation = #_sourceLocation) {
    var script = GroupScript(settings: settings)
    for (number, (step, expected)) in table.enumerated() {
        #expect(script.run(step) == expected, "step \(number + 1): \(step)", sourceLocation: location)
    }
}

/// A Stable group of `a` (leader) and `b` in generation 2, at time 0; steps 1 to 8.
let stableGroup: Table = [
    (.join("", fresh: "a"), ["#1 memberIdRequired a"]),
    (.join("a"), ["#2 a in g1 range led by a of a"]),
    (.sync("a", generation: 1, assigns: ["a": 1]), ["store g1 a:1", "#3 gets 1"]),
    (.join("", fresh: "b", version: 3), []),
    (.beat("a", generation: 1), ["rebalanceInProgress"]),
    (.join("a"), ["#6 a in g2 range led by a of a b", "#4 b in g2 range led by a"]),
    (.sync("b", generation: 2), []),
    (.sync("a", generation: 2, assigns: ["a": 1, "b": 2]), ["store g2 a:1 b:2", "#8 gets 1", "#7 gets 2"]),
]

@Suite struct GroupMachineTests {
    @Test func twoMembersJoinAndSync() {
        check(stableGroup + [(.state(.stable), []), (.beat("b", generation: 2), ["ok"])])
    }

    /// KIP-134: members that come while the delay runs put it off, until the rebalance time-out.
    @Test func theFirstRebalanceWaitsForThoseThatComeLate() {
        var settings = GroupSettings()
        settings.initialRebalanceDelayMs = 3_000
        check(
            [
                (.join("", fresh: "a", rebalance: 7_000, version: 3), []),
                (.at(2_000), []),
                (.join("", fresh: "b", rebalance: 7_000, version: 3), []),
                (.at(3_000), []),
                (.join("", fresh: "c", rebalance: 7_000, version: 3), []),
                // 7 s less 3 s are left, then 1 s: the third step is the last.
                (.at(6_000), []),
                (.at(6_999), []),
                (
                    .at(7_000),
                    [
                        "#1 a in g1 range led by a of a b c", "#3 b in g1 range led by a", "#5 c in g1 range led by a",
                    ]
                ),
            ], settings: settings)
    }

    @Test func aQuietFirstRebalanceTakesTheDelayOnce() {
        var settings = GroupSettings()
        settings.initialRebalanceDelayMs = 3_000
        check(
            [
                (.join("", fresh: "a", version: 3), []),
                (.at(2_999), []),
                (.at(3_000), ["#1 a in g1 range led by a of a"]),
            ], settings: settings)
    }

    @Test func aNewMemberDoesNotWaitForEver() {
        var settings = GroupSettings()
        settings.initialRebalanceDelayMs = 400_000
        check(
            [
                (.join("", fresh: "a", version: 3), []), (.at(299_999), []), (.at(300_000), ["#1 unknownMemberId "]),
            ], settings: settings)
    }

    @Test func requestsThatDoNotFitAreRefused() {
        check(
            stableGroup + [
                (.beat("x", generation: 2), ["unknownMemberId"]),
                (.beat("a", generation: 1), ["illegalGeneration"]),
                (.beat("a", generation: 3), ["illegalGeneration"]),
                (.sync("x", generation: 2), ["#12 unknownMemberId"]),
                (.sync("a", generation: 1), ["#13 illegalGeneration"]),
                (.sync("a", generation: 2, name: "sticky"), ["#14 inconsistentGroupProtocol"]),
                (.join("x"), ["#15 unknownMemberId x"]),
                (.join("", fresh: "c", offers: ["sticky"]), ["#16 inconsistentGroupProtocol "]),
                (.join("", fresh: "c", offers: []), ["#17 inconsistentGroupProtocol "]),
                (.sync("b", generation: 2), ["#18 gets 2"]),
                (.state(.stable), []),
            ])
    }

    @Test func aFollowerThatJoinsUnchangedGetsTheGenerationAndALeaderARebalance() {
        check(
            stableGroup + [
                (.join("b"), ["#9 b in g2 range led by a"]),
                (.sync("b", generation: 2), ["#10 gets 2"]),
                (.join("a"), []),
                (.state(.preparingRebalance), []),
                (.sync("b", generation: 2), ["#13 rebalanceInProgress"]),
                (.join("b"), ["#11 a in g3 range led by a of a b", "#14 b in g3 range led by a"]),
                // Asked again, before the assignment: the same answer.
                (.join("b"), ["#15 b in g3 range led by a"]),
                (.join("a"), ["#16 a in g3 range led by a of a b"]),
                // With other metadata: a rebalance, and those that wait for the assignment join again.
                (.sync("b", generation: 3), []),
                (.join("a", about: 7), ["#17 rebalanceInProgress"]),
                (.join("b"), ["#18 a in g4 range led by a of a b", "#19 b in g4 range led by a"]),
            ])
    }

    @Test func membersThatDoNotComeAreOutWithTheRebalanceTimeout() {
        check(
            stableGroup + [
                (.join("b", about: 5), []),
                (.at(5_000), []),
                (.beat("a", generation: 2), ["rebalanceInProgress"]),
                (.at(14_999), []),
                (.beat("a", generation: 2), ["rebalanceInProgress"]),
                (.at(24_000), []),
                (.beat("a", generation: 2), ["rebalanceInProgress"]),
                (.at(33_000), []),
                (.beat("a", generation: 2), ["rebalanceInProgress"]),
                (.at(42_000), []),
                (.beat("a", generation: 2), ["rebalanceInProgress"]),
                (.at(51_000), []),
                (.beat("a", generation: 2), ["rebalanceInProgress"]),
                (.at(59_999), []),
                (.at(60_000), ["#9 b in g3 range led by b of b"]),
                (.beat("a", generation: 2), ["unknownMemberId"]),
            ])
    }

    @Test func aSessionEndsAndTheOthersRebalance() {
        check(
            stableGroup + [
                (.at(9_000), []),
                (.beat("b", generation: 2), ["ok"]),
                (.at(10_000), []),
                (.state(.preparingRebalance), []),
                (.beat("b", generation: 2), ["rebalanceInProgress"]),
                (.join("b"), ["#14 b in g3 range led by b of b"]),
            ])
    }

    @Test func allSessionsEndAndTheGroupIsEmpty() {
        check(stableGroup + [(.at(10_000), ["store g3 "]), (.state(.empty), [])])
    }

    @Test func whoDoesNotAskForItsAssignmentIsOut() {
        check(
            [
                (.join("", fresh: "a", rebalance: 8_000, version: 3), ["#1 a in g1 range led by a of a"]),
                (.at(7_999), []),
                (.state(.completingRebalance), []),
                (.at(8_000), ["store g2 "]),
                (.state(.empty), []),
            ])
        // A follower that does not is found out in the stable group.
        check(
            Array(stableGroup.prefix(6)) + [
                (.sync("a", generation: 2, assigns: ["a": 1, "b": 2]), ["store g2 a:1 b:2", "#7 gets 1"]),
                (.at(9_000), []),
                (.beat("a", generation: 2), ["ok"]),
                (.beat("b", generation: 2), ["ok"]),
                (.at(18_000), []), (.beat("a", generation: 2), ["ok"]), (.beat("b", generation: 2), ["ok"]),
                (.at(27_000), []), (.beat("a", generation: 2), ["ok"]), (.beat("b", generation: 2), ["ok"]),
                (.at(36_000), []), (.beat("a", generation: 2), ["ok"]), (.beat("b", generation: 2), ["ok"]),
                (.at(45_000), []), (.beat("a", generation: 2), ["ok"]), (.beat("b", generation: 2), ["ok"]),
                (.at(54_000), []), (.beat("a", generation: 2), ["ok"]), (.beat("b", generation: 2), ["ok"]),
                (.at(60_000), []),
                (.beat("b", generation: 2), ["unknownMemberId"]),
                (.beat("a", generation: 2), ["rebalanceInProgress"]),
            ])
    }

    @Test func aPendingMemberHoldsTheRebalanceUntilItsTimeEnds() {
        check(
            stableGroup + [
                (.join("", fresh: "c"), ["#9 memberIdRequired c"]),
                (.join("a"), []),
                (.join("b"), []),
                (.at(9_999), []),
                (.at(10_000), ["#10 a in g3 range led by a of a b", "#11 b in g3 range led by a"]),
                (.join("c"), ["#14 unknownMemberId c"]),
            ])
    }

    @Test func membersLeave() {
        check(
            stableGroup + [
                (.leave([LeavingMember(memberId: "x"), LeavingMember(memberId: "a")]), ["unknownMemberId", "ok"]),
                (.join("b"), ["#10 b in g3 range led by b of b"]),
                (.sync("b", generation: 3, assigns: ["b": 3]), ["store g3 b:3", "#11 gets 3"]),
                (.join("", fresh: "c"), ["#12 memberIdRequired c"]),
                (.leave([LeavingMember(memberId: "c"), LeavingMember(memberId: "b")]), ["ok", "ok", "store g4 "]),
                (.state(.empty), []),
                (.join("c"), ["#15 unknownMemberId c"]),
            ])
    }

    @Test func theProtocolThatMostPreferAmongThoseOfAllIsTaken() {
        check([
            (.join("", fresh: "a", offers: ["x", "r", "s"], version: 3), ["#1 a in g1 x led by a of a"]),
            (.join("", fresh: "b", offers: ["s", "r"], version: 3), []),
            (.join("", fresh: "c", offers: ["s", "r"], version: 3), []),
            (
                .join("a", offers: ["x", "r", "s"]),
                [
                    "#4 a in g2 s led by a of a b c", "#2 b in g2 s led by a", "#3 c in g2 s led by a",
                ]
            ),
        ])
    }

    @Test func aDroppedRequestIsNotAnsweredAndItsMemberStays() {
        check(
            stableGroup + [
                (.join("b", about: 1), []),
                (.drop(9), []),
                (.join("a"), ["#11 a in g3 range led by a of a b"]),
                (.sync("a", generation: 3), ["store g3 a:0 b:0", "#12 gets 0"]),
                (.beat("b", generation: 3), ["ok"]),
            ])
    }

    /// KIP-389.
    @Test func aFullGroupTakesNobodyElse() {
        var settings = GroupSettings.immediate
        settings.maxSize = 2
        check(
            stableGroup + [
                (.join("", fresh: "c", version: 3), ["#9 groupMaxSizeReached "]), (.state(.stable), []),
                (.join("b"), ["#11 b in g2 range led by a"]),
            ], settings: settings)
    }

    @Test func commitsAreAdmittedByMembership() {
        check([
            (.commit("", generation: -1), ["ok"]),
            (.commit("a", generation: 0), ["unknownMemberId"]),
        ])
        check(
            stableGroup + [
                (.commit("a", generation: 2), ["ok"]),
                (.commit("a", generation: 1), ["illegalGeneration"]),
                (.commit("x", generation: 2), ["unknownMemberId"]),
                (.commit("", generation: -1), ["unknownMemberId"]),
                (.commit("a", generation: 2, instance: "i"), ["unknownMemberId"]),
                // KIP-447: a transaction may say nothing of a member; what it says must hold.
                (.commit("", generation: -1, transactional: true), ["ok"]),
                (.commit("a", generation: 1, transactional: true), ["illegalGeneration"]),
                (.commit("x", generation: 2, transactional: true), ["unknownMemberId"]),
                (.commit("a", generation: 2, transactional: true), ["ok"]),
                (.join("a"), []),
                (.commit("b", generation: 2), ["ok"]),
                (.join("b"), ["#18 a in g3 range led by a of a b", "#20 b in g3 range led by a"]),
                (.commit("b", generation: 3), ["rebalanceInProgress"]),
                (.commit("b", generation: 3, transactional: true), ["ok"]),
            ])
    }

    @Test func aCommitKeepsTheSession() {
        check(
            stableGroup + [
                (.at(9_000), []), (.commit("a", generation: 2), ["ok"]), (.commit("b", generation: 2), ["ok"]),
                (.at(18_999), []), (.state(.stable), []),
            ])
    }
}
