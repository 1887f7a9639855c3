import StreamCore

/// The folder of one source inside the state folder, held under a lock so that two processes never write to it.
final class SourceFolder: Sendable {
    let path: String
    private let lock: FileLock

    /// - Returns: nil while another process holds it.
    /// - Throws: `STATE_FOLDER`.
    init?(_ path: String) throws {
        do {
            try DurableFile.makeFolders(path)
        } catch {
            throw error.inStateFolder
        }
        guard let lock = try FileLock(path + "/lock") else { return nil }
        self.path = path
        self.lock = lock
    }

    /// A source whose progress lasts longer than its memory would find its place and not what was there.
    /// - Throws: `STATE_FOLDER_NEEDED`.
    static func check(_ source: TopicName, _ settings: SourceSettings) throws {
        guard settings.stateFolder == nil, settings.hasLastingProgress, !settings.options.keepsSourcesInMemory else {
            return
        }
        throw StreamError(
            "STATE_FOLDER_NEEDED",
            "'\(source)' has nowhere to keep what it has read: '\(settings.query)' has no state folder.",
            remedy: "Set the option 'stateFolder' (or MILLRACE_STATE_DIR), or, if what is on its way may be lost when "
                + "the process dies, the option 'keepsSourcesInMemory'.", domain: .user)
    }
}
