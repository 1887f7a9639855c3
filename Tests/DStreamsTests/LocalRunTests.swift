import CommitProtocol
import DStreams
import StreamCore
import StreamEngine
import Testing

/// Contexts without Kafka on threads of their own, with the machine's clock: sockets, folders, files.
@Suite struct LocalRunTests {
    private let folder = TempFolder()
    private let seen = Seen<String>()

    private func makeContext(_ name: String = "local") -> StreamingContext {
        var options = StreamingOptions()
        options.stateFolder = folder.path + "/state"
        options.taskCount = 1
        return StreamingContext(
            query: name, batchInterval: .milliseconds(50), ports: LocalOnly(folder: folder.path + "/state"),
            options: options)
    }

    @Test func aSocketThatClosesIsConnectedAgain() async throws {
        let server = try #require(LineServer())
        let context = makeContext()
        context.socketTextStream(host: "127.0.0.1", port: server.port).foreachBatch { [seen] batch, _ in
            for line in batch { seen.append(line) }
        }
        try context.start()
        var client = server.accept()
        client?.send("one\r\n\ntw")
        #expect(waitUntil { seen.all.count == 2 })
        client?.send("o\nthr")
        client?.send("ee")
        #expect(waitUntil { seen.all.count == 3 })
        client = nil
        client = server.accept()
        client?.send("four\n")
        #expect(waitUntil { seen.all.count == 5 })
        #expect(seen.all == ["one", "", "two", "three", "four"])
        context.stop()
        try await context.awaitTermination()

        // The next start receives what comes now, and nothing again.
        let again = makeContext()
        again.socketTextStream(host: "127.0.0.1", port: server.port).foreachBatch { [seen] batch, _ in
            for line in batch { seen.append(line) }
        }
        try again.start()
        client = server.accept()
        client?.send("five\n")
        #expect(waitUntil { seen.all.count == 6 })
        again.stop(graceful: false)
        try await again.awaitTermination()
        #expect(seen.all == ["one", "", "two", "three", "four", "five"])
    }

    @Test func aFolderIsLookedAtWhileTheQueryRuns() async throws {
        folder.makeFolder("in")
        let context = makeContext()
        context.textFileStream(folder.path + "/in").foreachBatch { [seen] batch, _ in
            for line in batch { seen.append(line) }
        }
        try context.start()
        #expect(waitUntil { context.status?.phase == .running })
        for number in 0..<3 {
            folder.write("draft", "\(number)\n")
            folder.rename("draft", "in/\(number)")
            #expect(waitUntil { seen.all.count == number + 1 })
        }
        context.stop()
        try await context.awaitTermination()
        #expect(seen.all == ["0", "1", "2"])
    }

    @Test func oneProcessRunsAQuery() async throws {
        let first = makeContext()
        first.queueStream([[1]]).print()
        first.printer = { _ in }
        try first.start()
        #expect(waitUntil { first.status?.phase == .running })
        let second = makeContext()
        second.queueStream([[1]]).print()
        try second.start()
        await #expect(throws: StreamError("QUERY_RUNS", "")) { try await second.awaitTermination() }
        first.stop()
        try await first.awaitTermination()
    }
}

/// What a context does by itself where nothing names a broker, whatever the environment of the tests says.
private struct LocalOnly: QueryPortSource {
    let folder: String?

    func open(_ needs: QueryNeeds, log: any LogHandler, until stop: StopRequest) throws -> QueryPorts? {
        try LocalPorts.open(needs, folder: folder)
    }
}
