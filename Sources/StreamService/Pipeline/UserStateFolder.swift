import ConnectorKit
import FoundationEssentials
import StreamCore

extension ConfigEnvironment {
    /// `millrace` in the user's own state folder, as the XDG base directory specification places it; made if it is
    /// missing.
    /// - Throws: `StreamError` `STATE_FOLDER`.
    func userStateFolder() throws -> String {
        guard
            let base = variables["XDG_STATE_HOME"].flatMap({ $0.hasPrefix("/") ? $0 : nil })
                ?? variables["HOME"].flatMap({ $0.hasPrefix("/") ? $0 + "/.local/state" : nil })
        else { throw StreamError("STATE_FOLDER", "There is no home folder.", domain: .external) }
        let folder = base + "/millrace"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw StreamError("STATE_FOLDER", "Could not create '\(folder)'.", domain: .external, cause: error)
        }
        return folder
    }
}
