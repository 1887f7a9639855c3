import Testing

@testable import StreamService

@Suite struct OpenFileLimitTests {
    /// A quarter is left to logs; without a limit nothing is taken off.
    @Test(
        arguments: [
            (256, 192), (1_024, 768), (13_332, 9_999), (13_336, 10_000), (1 << 20, 10_000), (Int.max, 10_000), (0, 1),
        ] as [(Int, Int)])
    func leavesFilesToLogs(openFiles: Int, connections: Int) {
        #expect(OpenFileLimit(openFiles: openFiles).connections(wanted: 10_000) == connections)
    }

    @Test func withoutALimitAllAreServed() {
        #expect(OpenFileLimit().connections(wanted: 10_000) == 10_000)
    }
}
