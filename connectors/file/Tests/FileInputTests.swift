import CommitProtocol
import ConnectorKit
import Foundation
import StreamCore
import Testing

@testable import FileConnector

/// A folder of its own that goes away with the test.
final class Folder {
    let path = FileManager.default.temporaryDirectory.path + "/millrace-file-\(UUID().uuidString)"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> Split {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        return Split(TopicName("\(path)/\(name)"), 0)
    }
}

struct Line: Hashable {
    var split: Split
    var offset: Int64
    var text: String
}

/// Everything that an input gives until there is nothing now.
struct Harvest {
    var lines: [Line] = []
    var finished: [Split: Position] = [:]
    var troubles: [StreamError] = []
    var losses: [Split: Position] = [:]
    var assigned: Set<Split> = []
    var blockBytesMax = 0

    mutating func take(from input: any InputPort, bytesMax: Int = 1 << 20, polls: Int = 100_000) {
        for _ in 0..<polls {
            guard let event = input.poll(bytesMax: bytesMax) else { return }
            switch event {
            case .records(let block):
                blockBytesMax = max(blockBytesMax, block.arena.count)
                for index in 0..<block.count {
                    let text = block.value(index).map { String(decoding: $0, as: UTF8.self) } ?? "(null)"
                    lines.append(Line(split: block.split(index), offset: block.slots[index].offset, text: text))
                }
            case .finished(let split, let position): finished[split] = position
            case .trouble(let error): troubles.append(error)
            case .dataLoss(let split, _, let next): losses[split] = next
            case .assigned(let splits): assigned = splits
            default: break
            }
        }
    }
}

@Suite struct FileInputTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func input(_ path: String? = nil, lineBytesMax: Int = 1024) -> (any InputPort, Harvest) {
        let context = ConnectorContext(name: "f", clock: SystemClock(), wakeTimer: .never)
        let input = FileSource(path: path ?? folder.path, lineBytesMax: lineBytesMax, context).makeInput()
        input.start()
        var harvest = Harvest()
        harvest.take(from: input)
        return (input, harvest)
    }

    private func read(_ input: any InputPort, _ positions: [Split: Position], bytesMax: Int = 1 << 20) -> Harvest {
        input.open(positions)
        var harvest = Harvest()
        harvest.take(from: input, bytesMax: bytesMax)
        return harvest
    }

    @Test func readsLinesWithTheirOffsets() throws {
        let split = try folder.write("a.jsonl", "\u{FEFF}{\"a\":1}\r\n\n  \t\n{\"b\":2}\nlast")
        let (input, start) = input("\(folder.path)/a.jsonl")
        #expect(start.assigned == [split])
        let harvest = read(input, [split: 0])
        #expect(
            harvest.lines == [
                Line(split: split, offset: 0, text: "{\"a\":1}"), Line(split: split, offset: 17, text: "{\"b\":2}"),
                Line(split: split, offset: 25, text: "last"),
            ])
        #expect(harvest.finished == [split: 29])
    }

    @Test func readsAFolderInTheOrderOfPaths() throws {
        let second = try folder.write("b", "3\n4\n")
        let first = try folder.write("a", "1\n2\n")
        let third = try folder.write("c", "")
        try folder.write(".hidden", "x\n")
        try folder.write("_temporary", "x\n")
        let (input, start) = input()
        #expect(start.assigned == [first, second, third])
        let harvest = read(input, [first: 0, second: 0, third: 0])
        #expect(harvest.lines.map(\.text) == ["1", "2", "3", "4"])
        #expect(harvest.finished == [first: 4, second: 4, third: 0])
    }

    @Test func patternsChooseFiles() throws {
        let first = try folder.write("x1.txt", "1\n")
        try folder.write("y.log", "2\n")
        #expect(input("\(folder.path)/x?.t*").1.assigned == [first])
    }

    @Test func replaysFromEveryByte() throws {
        let text = (0..<40).map { String(repeating: "x", count: $0 % 7) + "\($0)\r\n" }.joined() + "end"
        let split = try folder.write("a", text)
        let (input, _) = input()
        let whole = read(input, [split: 0]).lines
        #expect(whole.count == 41)
        for byte in 0...text.utf8.count {
            let part = read(input, [split: Position(Int64(byte))])
            #expect(part.lines == whole.filter { $0.offset >= byte })
            #expect(part.finished == [split: Position(Int64(text.utf8.count))])
        }
    }

    @Test(arguments: [1, 1000, 300_000])
    func bytesAreBounded(bytesMax: Int) throws {
        let lines = (0..<20_000).map { "line number \($0)" }
        let split = try folder.write("a", lines.joined(separator: "\n"))
        let (input, _) = input()
        input.open([split: 0])
        #expect(input.poll(bytesMax: 0) == nil)
        var harvest = Harvest()
        harvest.take(from: input, bytesMax: bytesMax)
        #expect(harvest.lines.map(\.text) == lines)
        // One line may go over the limit.
        #expect(harvest.blockBytesMax < bytesMax + 20)
    }

    @Test func pausedAndReleasedFilesGiveNothing() throws {
        let first = try folder.write("a", "1\n")
        let second = try folder.write("b", "2\n")
        let (input, _) = input()
        input.open([first: 0, second: 0])
        input.pause([first])
        var harvest = Harvest()
        harvest.take(from: input)
        #expect(harvest.lines.map(\.text) == ["2"])
        input.resume([first])
        input.release([first])
        harvest = Harvest()
        harvest.take(from: input)
        #expect(harvest.lines.isEmpty && harvest.finished.isEmpty)
    }

    @Test func appendedLinesWaitForTheNextStart() throws {
        let split = try folder.write("a", "1\n2\n")
        let (input, _) = input()
        try folder.write("a", "1\n2\n3\n")
        #expect(read(input, [split: 0]).lines.map(\.text) == ["1", "2"])
        let (later, _) = self.input()
        #expect(read(later, [split: 4]).lines.map(\.text) == ["3"])
    }

    @Test func longLinesStopTheQuery() throws {
        let split = try folder.write("a", "ok\n" + String(repeating: "x", count: 2000) + "\nnever\n")
        let harvest = read(input().0, [split: 0])
        #expect(harvest.lines.map(\.text) == ["ok"])
        #expect(harvest.troubles == [StreamError("FILE_LINE_TOO_LONG", "")])
        #expect(harvest.troubles.first?.recovery == .stop)
        #expect(harvest.troubles.first?.place.offset == 3)
        #expect(harvest.finished.isEmpty)
    }

    @Test func shortenedFilesAreNoticed() throws {
        let split = try folder.write("a", "1\n2\n3\n")
        let (input, _) = input()
        try folder.write("a", "1\n")
        #expect(read(input, [split: 0]).troubles == [StreamError("FILE_CHANGED", "")])
        let harvest = read(input, [split: 100])
        #expect(harvest.losses == [split: 6] && harvest.lines.isEmpty)
    }

    @Test func whatIsNoFileIsRefused() throws {
        #expect(input("\(folder.path)/none").1.troubles == [StreamError("FILE_NOT_FOUND", "")])
        #expect(input("\(folder.path)/*.none").1.troubles == [StreamError("FILE_NOT_FOUND", "")])
        #expect(input("/dev/zero").1.troubles == [StreamError("FILE_UNREADABLE", "")])
        try #require(mkfifo("\(folder.path)/pipe", 0o600) == 0)
        #expect(input("\(folder.path)/pipe").1.troubles == [StreamError("FILE_UNREADABLE", "")])
    }

    @Test func resolvesStartsAndEnds() throws {
        let split = try folder.write("a", "1\n2\n")
        let (input, _) = input()
        input.resolve([split: .latest])
        guard case .resolved(let positions)? = input.poll(bytesMax: 0) else { return #expect(Bool(false)) }
        #expect(positions == [split: 4])
        input.requestEnds([split])
        guard case .ends(let ends)? = input.poll(bytesMax: 0) else { return #expect(Bool(false)) }
        #expect(ends == [split: 4])
        input.resolve([split: .timestamp(milliseconds: 0)])
        guard case .trouble(let error)? = input.poll(bytesMax: 0) else { return #expect(Bool(false)) }
        #expect(error.code == "FILE_NO_TIME")
        input.close(within: .zero)
        #expect(input.poll(bytesMax: 100) == nil)
    }

    @Test func blankStretchesDoNotEndTheFile() throws {
        let split = try folder.write(
            "a", String(repeating: String(repeating: " ", count: 1000) + "\n", count: 1200) + "end\n")
        let (input, _) = input()
        input.open([split: 0])
        var harvest = Harvest()
        // Each poll is bounded, so nil may come before the end: the input asks to be polled again.
        for _ in 0..<10 where harvest.finished.isEmpty { harvest.take(from: input) }
        #expect(harvest.lines.map(\.text) == ["end"])
    }
}
