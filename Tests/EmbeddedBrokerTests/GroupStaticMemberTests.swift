import Testing

@testable import EmbeddedBroker

/// A Stable group of the static members `a1` (of `ia`, leader) and `b1` (of `ib`) in generation 2; steps 1 to 6.
private let staticGroup: Table = [
    (.join("", fresh: "a1", instance: "ia"), ["#1 a1 in g1 range led by a1 of a1"]),
    (.sync("a1", generation: 1, instance: "ia", assigns: ["a1": 1]), ["store g1 a1:1", "#2 gets 1"]),
    (.join("", fresh: "b1", instance: "ib"), []),
    (.join("a1", instance: "ia"), ["#4 a1 in g2 range led by a1 of a1 b1", "#3 b1 in g2 range led by a1"]),
    (.sync("b1", generation: 2, instance: "ib"), []),
    (
        .sync("a1", generation: 2, instance: "ia", assigns: ["a1": 1, "b1": 2]),
        [
            "store g2 a1:1 b1:2", "#6 gets 1", "#5 gets 2",
        ]
    ),
]

/// KIP-345 and KIP-814.
@Suite struct GroupStaticMemberTests {
    @Test func aFollowerComesBackUnderANewIdWithoutARebalance() {
        check(
            staticGroup + [
                (.join("", fresh: "b2", instance: "ib"), ["store g2 a1:1 b2:2", "#7 b2 in g2 range led by a1"]),
                (.sync("b2", generation: 2, instance: "ib"), ["#8 gets 2"]),
                (.beat("b1", generation: 2, instance: "ib"), ["fencedInstanceId"]),
                (.beat("b1", generation: 2), ["unknownMemberId"]),
                (.sync("b1", generation: 2, instance: "ib"), ["#11 fencedInstanceId"]),
                (.commit("b1", generation: 2, instance: "ib"), ["fencedInstanceId"]),
                (.commit("b1", generation: 2, instance: "ib", transactional: true), ["fencedInstanceId"]),
                (.join("b1", instance: "ib"), ["#14 fencedInstanceId b1"]),
                (.leave([LeavingMember(memberId: "b1", instanceId: "ib")]), ["fencedInstanceId"]),
                (.beat("b2", generation: 2, instance: "ib"), ["ok"]),
                (.beat("b2", generation: 2, instance: "other"), ["unknownMemberId"]),
                (.state(.stable), []),
            ])
    }

    @Test func aLeaderComesBackAndKeepsTheAssignment() {
        check(
            staticGroup + [
                (
                    .join("", fresh: "a2", instance: "ia"),
                    [
                        "store g2 a2:1 b1:2", "#7 a2 in g2 range led by a2 of a2 b1 skip",
                    ]
                ),
                (.sync("a2", generation: 2, instance: "ia"), ["#8 gets 1"]),
                (.state(.stable), []),
            ])
    }

    /// A client before KIP-814 is shown the old leader, so that it does not assign.
    @Test func anOldClientDoesNotTakeItselfForTheLeader() {
        check(
            staticGroup + [
                (
                    .join("", fresh: "a2", instance: "ia", version: 8),
                    [
                        "store g2 a2:1 b1:2", "#7 a2 in g2 range led by a1",
                    ]
                ),
                (.sync("a2", generation: 2, instance: "ia"), ["#8 gets 1"]),
                // It is the leader all the same: its next join rebalances.
                (.join("a2", instance: "ia"), []),
                (.state(.preparingRebalance), []),
            ])
    }

    @Test func anotherProtocolRebalances() {
        check([
            (.join("", fresh: "a1", instance: "ia", offers: ["x", "y"]), ["#1 a1 in g1 x led by a1 of a1"]),
            (.sync("a1", generation: 1, assigns: ["a1": 1]), ["store g1 a1:1", "#2 gets 1"]),
            (.join("", fresh: "a2", instance: "ia", offers: ["y", "x"]), ["#3 a2 in g2 y led by a2 of a2"]),
            (.state(.completingRebalance), []),
        ])
    }

    @Test func aMemberThatComesBackBeforeTheAssignmentRebalances() {
        check(
            Array(staticGroup.prefix(5)) + [
                (.join("", fresh: "b2", instance: "ib"), ["#5 fencedInstanceId"]),
                (.state(.preparingRebalance), []),
                (
                    .join("a1", instance: "ia"),
                    [
                        "#8 a1 in g3 range led by a1 of a1 b2", "#6 b2 in g3 range led by a1",
                    ]
                ),
            ])
    }

    @Test func theOldOnesJoinIsFencedAtOnce() {
        check(
            staticGroup + [
                (.join("b1", instance: "ib", about: 3), []),
                (.join("", fresh: "b2", instance: "ib"), ["#7 fencedInstanceId b1"]),
                (
                    .join("a1", instance: "ia"),
                    [
                        "#9 a1 in g3 range led by a1 of a1 b2", "#8 b2 in g3 range led by a1",
                    ]
                ),
            ])
    }

    /// A rebalance does not wait for a static member longer than its time-out, and does not put it out either.
    @Test func aRebalanceGoesOnWithoutAStaticMember() {
        check([
            (.join("", fresh: "a", instance: "ia", rebalance: 5_000), ["#1 a in g1 range led by a of a"]),
            (.sync("a", generation: 1, assigns: ["a": 1]), ["store g1 a:1", "#2 gets 1"]),
            (.join("", fresh: "b", instance: "ib", rebalance: 5_000), []),
            (.at(4_999), []),
            (.at(5_000), ["#3 b in g2 range led by b of a b"]),
            (.sync("b", generation: 2, assigns: ["a": 1, "b": 2]), ["store g2 a:1 b:2", "#6 gets 2"]),
            // The one that did not come has to join again, in its session's time.
            (.beat("a", generation: 1, instance: "ia"), ["illegalGeneration"]),
            (.join("a", instance: "ia", rebalance: 5_000), ["#8 a in g2 range led by b"]),
            (.sync("a", generation: 2, instance: "ia"), ["#9 gets 1"]),
        ])
    }

    /// When only static members are left and none joins, the rebalance waits for their sessions to end.
    @Test func aRebalanceWithoutAnybodyStartsOver() {
        check(
            staticGroup + [
                (.join("", fresh: "d"), ["#7 memberIdRequired d"]),
                (.join("d", rebalance: 1_000), []),
                (.leave([LeavingMember(memberId: "d")]), ["ok", "#8 unknownMemberId "]),
                (.state(.preparingRebalance), []),
                (.at(9_999), []),
                (.beat("a1", generation: 2, instance: "ia"), ["rebalanceInProgress"]),
                (.at(10_000), []),
                (.join("a1", instance: "ia"), ["#14 a1 in g3 range led by a1 of a1"]),
            ])
    }

    @Test func aMemberThatComesBackMayBeTheLastThatWasMissing() {
        check(
            staticGroup + [
                (.join("a1", instance: "ia"), []),
                (
                    .join("", fresh: "b2", instance: "ib"),
                    ["#7 a1 in g3 range led by a1 of a1 b2", "#8 b2 in g3 range led by a1"]
                ),
            ])
    }

    /// The group waits for the new id's sync and not for the old one's, which never comes.
    @Test func theNewIdOwesTheSync() {
        var script = GroupScript()
        for (step, _) in staticGroup.prefix(4) { _ = script.run(step) }
        _ = script.run(.sync("a1", generation: 2, instance: "ia", assigns: ["b1": 2]))
        #expect(script.run(.join("", fresh: "b2", instance: "ib")).last == "#6 b2 in g2 range led by a1")
        #expect(script.machine.syncDeadline == 60_000)
        #expect(script.run(.sync("b2", generation: 2, instance: "ib")) == ["#7 gets 2"])
        #expect(script.machine.syncDeadline == nil)
    }

    @Test func anAdministratorRemovesAnInstance() {
        check(
            staticGroup + [
                (
                    .leave([
                        LeavingMember(memberId: "", instanceId: "ia"), LeavingMember(memberId: "", instanceId: "no"),
                    ]),
                    ["ok", "unknownMemberId"]
                ),
                (.join("b1", instance: "ib"), ["#8 b1 in g3 range led by b1 of b1"]),
                (.leave([LeavingMember(memberId: "b1", instanceId: "ib")]), ["ok", "store g4 "]),
            ])
    }
}
