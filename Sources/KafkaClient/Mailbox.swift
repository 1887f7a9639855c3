import CommitProtocol
import StreamCore
import Synchronization

/// What a helper thread leaves for the driver.
final class Mailbox<Item: Sendable>: Sendable {
    private let items = Mutex<[Item]>([])
    private let notify = Callback()

    var onReady: (@Sendable () -> Void)? {
        get { notify.body }
        set { notify.body = newValue }
    }

    func post(_ item: Item) {
        items.withLock { $0.append(item) }
        wake()
    }

    func take() -> Item? { items.withLock { $0.isEmpty ? nil : $0.removeFirst() } }

    func wake() { notify() }
}

typealias InputMailbox = Mailbox<InputItem>

/// What comes to an input's driver.
enum InputItem: Sendable {
    case event(InputEvent)
    /// A position that was thought lost is there after all.
    case reopen(Split, Position)
}
