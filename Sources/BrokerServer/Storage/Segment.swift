import EmbeddedBroker

/// One file of a log, and where its bytes lie among the log's.
struct Segment {
    let baseOffset: Int64
    let file: DiskFile
    /// The position of the file's first byte.
    var position: Int64
    /// Bytes of whole batches; the file may be longer where a write failed and could not be taken back.
    var size: Int64
    var isSynced: Bool

    var end: Int64 { position + size }

    /// Kafka's name of a segment's file.
    static func name(_ baseOffset: Int64) -> String {
        let digits = String(max(0, baseOffset))
        return String(repeating: "0", count: max(0, 20 - digits.count)) + digits + ".log"
    }

    /// - Returns: the offset in a name such as 00000000000000000042.log, else nil.
    static func baseOffset(_ name: String) -> Int64? {
        guard name.count == 24, name.hasSuffix(".log"), name.utf8.prefix(20).allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int64(name.prefix(20))
    }

    /// Adds bytes at the end. The file is as it was if they do not fit on the disk.
    mutating func append(_ bytes: ArraySlice<UInt8>) throws(StorageError) {
        do throws(StorageError) {
            try file.write(bytes, at: size)
        } catch {
            // The next write goes to the same place; recovery finds what a crash leaves behind.
            try? file.truncate(to: size)
            throw error
        }
        size += Int64(bytes.count)
        isSynced = false
    }

    mutating func sync() throws(StorageError) {
        guard !isSynced else { return }
        try file.sync()
        isSynced = true
    }
}
