import StreamCore
import Synchronization

/// A line of a file.
public struct FileLine: Sendable, Hashable {
    /// The file's, from the root.
    public var path: String
    /// Without its line's end. Invalid UTF-8 is repaired with U+FFFD.
    public var text: String

    public init(path: String, text: String) {
        self.path = path
        self.text = text
    }
}

/// Sources that are not Kafka. A query with one of them is owned: one instance runs it at a time, and the positions
/// are in its progress record.
extension StreamingContext {
    /// The batches of a queue: for tests and demonstrations, as Spark's.
    ///
    /// The queue lives in memory: what a killed process had taken and not committed is not given again.
    /// - Parameter oneAtATime: one batch of the queue in each batch of the query; else all that are there.
    public func queueStream<Element: Sendable>(
        _ queue: BatchQueue<Element>, oneAtATime: Bool = true
    ) -> DStream<Element> {
        let source = QueueSource(name: uniqueSourceName("queue"), queue: queue, oneAtATime: oneAtATime)
        return stream(of: source) { record in
            guard let element = queue.element(at: record.offset) else {
                throw StreamError("QUEUE_ELEMENT", "an element of the queue is not there any more")
            }
            return element
        }
    }

    /// The same over batches that are known before.
    public func queueStream<Element: Sendable>(
        _ batches: [[Element]], oneAtATime: Bool = true
    ) -> DStream<Element> {
        queueStream(BatchQueue(batches), oneAtATime: oneAtATime)
    }

    // MARK: - Files

    /// The lines of the files that come into a folder, each file once: Spark's `textFileStream`.
    ///
    /// Taken are plain files of the folder itself that were changed after the query's first start, in the order of
    /// their modification times; names beginning with `.` or `_` are not looked at. A file must be whole when it comes:
    /// write it elsewhere on the same file system and rename it. What is changed later is not read (a warning says
    /// so); a file that vanishes or changes before it is read ends the query, or is left out where the option
    /// `continuesOnDataLoss` says so.
    public func textFileStream(_ folder: String) -> DStream<String> {
        files(folder, .lines, keepsPath: false, newFilesOnly: true) { _ in true }.map { $0.text }
    }

    /// The lines of the files that come into a folder, with their file.
    /// - Parameters:
    ///   - filter: given a file's path, says whether it is read. Called on the source's thread.
    ///   - newFilesOnly: false: also those files that were there when the query started first and were changed within
    ///     the option `filesRemembered`.
    public func fileStream(
        _ folder: String, filter: @escaping @Sendable (_ path: String) -> Bool = { _ in true },
        newFilesOnly: Bool = true
    ) -> DStream<FileLine> {
        files(folder, .lines, keepsPath: true, newFilesOnly: newFilesOnly, filter)
            .map { FileLine(path: $0.keyText ?? "", text: $0.text) }
    }

    /// The records of the files that come into a folder, each of `recordLength` bytes. A file that ends within a record
    /// is a fault as one that changed is.
    public func binaryRecordsStream(_ folder: String, recordLength: Int) -> DStream<[UInt8]> {
        precondition(recordLength > 0, "a record has a byte at least")
        return files(folder, .fixed(recordLength), keepsPath: false, newFilesOnly: true) { _ in true }
            .map { $0.value ?? [] }
    }

    private func files(
        _ folder: String, _ format: FileFormat, keepsPath: Bool, newFilesOnly: Bool,
        _ filter: @escaping @Sendable (String) -> Bool
    ) -> DStream<KafkaRecord> {
        let folder = FolderListing.absolute(folder)
        let folderOptions = FolderOptions(
            folder: folder, newFilesOnly: newFilesOnly, remember: options.filesRemembered, format: format,
            keepsPath: keepsPath, filter: filter)
        return stream(of: FolderSource(name: uniqueSourceName("files:\(folder)"), options: folderOptions)) { $0 }
    }

    // MARK: - Receivers

    /// Lines of UTF-8 text from a TCP server: Spark's `socketTextStream`.
    ///
    /// A line is on disk (in the state folder) before it counts as received, and from then on counts exactly once. A
    /// server cannot be asked again for what was under way while the process was down. A connection that ends is made
    /// again, after a pause that doubles from 0.2 s up to 10 s.
    public func socketTextStream(host: String, port: UInt16) -> DStream<String> {
        received(SocketReceiver(host: host, port: port), "socket:\(host):\(port)").map { $0.text }
    }

    /// The records of a receiver of one's own.
    /// - Parameter name: the source's, under which its log and its progress are kept; nil: `receiver`. Give several
    ///   receivers names, so that a changed program finds each one's.
    public func receiverStream(_ receiver: some Receiver, name: String? = nil) -> DStream<KafkaRecord> {
        received(receiver, name.map { "receiver:\($0)" } ?? "receiver")
    }

    private func received(_ receiver: some Receiver, _ name: String) -> DStream<KafkaRecord> {
        stream(of: ReceiverSource(name: uniqueSourceName(name), receiver: receiver)) { $0 }
    }

    // MARK: - The graph

    func stream<Element>(
        of source: some LocalSource, _ convert: @escaping @Sendable (KafkaRecord) throws -> Element
    ) -> DStream<Element> {
        let names: Set = [source.name]
        return DStream(self, node: addSource(source), level: 0) { builder, push in
            builder.addSource(names) { record in try push(convert(record)) }
        }
    }

    /// The name itself, or, where the context has it already, the name with a number: in the order in which a program
    /// adds them, so that a restart finds each its own.
    func uniqueSourceName(_ name: String) -> TopicName {
        let taken = Set(graph.withLock { $0.nodes.compactMap { $0.source?.name } })
        var candidate = TopicName(name)
        var number = 2
        while taken.contains(candidate) {
            candidate = TopicName("\(name)#\(number)")
            number += 1
        }
        return candidate
    }
}
