/// Rows of a restore that have no slot yet.
extension StateTable {
    /// Gives all of them slots, or so many.
    func decodeEncoded(_ rowsMax: Int = .max) throws {
        guard !encoded.isEmpty else { return }
        defer { noteTaken() }
        try encoded.take(rowsMax) { keyBytes, valueBytes in
            let (key, hash) = try decode(keyBytes)
            _ = try insert(key, hash, valueBytes, keyBytes: keyBytes.count)
        }
    }

    /// Rows were put or removed there.
    func noteEncoded() {
        // With a disk, who writes to it counts.
        if local == nil { count += encoded.count - encodedCount }
        noteTaken()
    }

    /// Rows have gone from there and are counted elsewhere.
    func noteTaken() {
        if encoded.isEmpty { encoded.removeAll() }
        let change = encoded.byteSize - encodedBytes
        encodedCount = encoded.count
        encodedBytes += change
        byteSize += change
        local?.cache.used += change
        isPartial = local != nil || !encoded.isEmpty
    }
}
