import StreamCore

extension LoopCore {
    /// What is moved for one connection before others have their turn.
    private static let bytesPerEvent = 4_194_304
    private static let piecesPerCall = 64
    /// A frame that lacks so much is read where it will lie; less goes with what follows it in one call.
    private static let directFrom = 65_536

    func serve(_ connection: Connection, _ events: PollHandle.Events?) {
        guard !connection.isClosing else { return }
        guard let events else { return drop(connection, .debug, "the connection failed") }
        if events.contains(.writable) { connection.isBlocked = false }
        touch(connection)
        if events.contains(.readable) { read(connection) }
    }

    /// Sends what waits, hands on what was read before, and says what the socket is watched for.
    func work(on connection: Connection) {
        guard !connection.isClosing else { return }
        send(connection)
        if !connection.unread.isEmpty, mayAsk(connection) {
            let unread = connection.unread
            connection.unread = []
            cut(connection, unread, 0..<unread.count)
            return touch(connection)
        }
        guard !connection.isClosing else { return }
        if connection.isDone || stopMs != nil && connection.outgoing.isEmpty {
            return drop(connection, .debug, stopMs == nil ? "the client left" : "the server stops")
        }
        watch(connection)
    }

    private func watch(_ connection: Connection) {
        let isToRead = mayRead(connection)
        if isToRead, let since = connection.pausedSinceMs {
            connection.pausedSinceMs = nil
            connection.activeMs = nowMs
            connection.frames.pardon(nowMs &- since)
        } else if !isToRead, !connection.isInputEnded, connection.pausedSinceMs == nil {
            connection.pausedSinceMs = nowMs
        }
        var events: PollHandle.Events = isToRead ? .readable : []
        if connection.isBlocked { events.insert(.writable) }
        connection.poll?.want(events)
    }

    // MARK: - Reading

    private func mayAsk(_ connection: Connection) -> Bool {
        stopMs == nil && connection.mayAsk(limits, unsentTotal: unsentBytes)
    }

    private func mayRead(_ connection: Connection) -> Bool {
        guard !connection.isInputEnded, connection.unread.isEmpty else { return false }
        guard mayAsk(connection) else {
            if connection.unsent > 0, unsentBytes > limits.unsentTotalBytesMax { waiting.insert(connection.id) }
            return false
        }
        guard readBytes > limits.readBytesMax else { return true }
        if elder == nil, let oldest = oldestUnfinished() {
            elder = oldest.id
            if oldest !== connection { touch(oldest) }
        }
        guard elder != connection.id else { return true }
        waiting.insert(connection.id)
        return false
    }

    /// Room is left for others when the frame that began first is complete, or its client's time is over.
    private func oldestUnfinished() -> Connection? {
        let unfinished = connections.values.lazy.filter { [self] in
            !$0.frames.isEmpty && $0.unread.isEmpty && !$0.isInputEnded && mayAsk($0)
        }
        return unfinished.min { ($0.frames.startedMs ?? .max) < ($1.frames.startedMs ?? .max) }
    }

    private func read(_ connection: Connection) {
        var left = Self.bytesPerEvent
        while left > 0, mayRead(connection) {
            let isDirect = connection.frames.missing >= Self.directFrom
            let result = isDirect ? receiveDirectly(connection) : receive(connection)
            switch result {
            case .moved(let count):
                left -= count
                connection.activeMs = nowMs
                // Less than there was room for: the next call would find nothing.
                if !isDirect, count < scratch.count { return }
            case .ended:
                connection.isInputEnded = true
                return
            case .wouldBlock: return
            case .failed(let number): return drop(connection, .debug, ServerError.text(of: number))
            }
        }
    }

    private func receive(_ connection: Connection) -> SocketResult {
        let result = unsafe scratch.withUnsafeMutableBytes { unsafe Socket.receive(connection.socket, into: $0) }
        if case .moved(let count) = result { cut(connection, scratch, 0..<count) }
        return result
    }

    private func receiveDirectly(_ connection: Connection) -> SocketResult {
        let socket = connection.socket
        var result = SocketResult.wouldBlock
        connection.frames.receive { span in
            unsafe span.withUnsafeMutableBufferPointer { buffer, filled in
                let free = unsafe UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[filled...]))
                result = unsafe Socket.receive(socket, into: free)
                if case .moved(let count) = result { filled += count }
            }
        }
        if let frame = connection.frames.takeIfComplete() { hand(on: frame, of: connection) }
        count(connection)
        return result
    }

    private func cut(_ connection: Connection, _ input: [UInt8], _ bytes: Range<Int>) {
        var range = bytes
        do throws(FramingError) {
            while !range.isEmpty, mayAsk(connection) {
                guard let frame = try connection.frames.next(in: input, &range, nowMs: nowMs) else { break }
                hand(on: frame, of: connection)
            }
        } catch {
            return drop(connection, .warning, text(of: error))
        }
        guard !connection.isClosing else { return }
        if !range.isEmpty { connection.unread = Array(input[range]) }
        if let deadline = connection.frames.deadline(limitMs: limits.frameMs) {
            nextSweepMs = min(nextSweepMs, max(deadline, nowMs &+ 1))
        }
        count(connection)
    }

    private func hand(on frame: [UInt8], of connection: Connection) {
        guard let sequence = connection.slots.open() else { return }
        handler?.frame(frame, as: RequestID(connection: connection.id, sequence: sequence))
        touch(connection)
    }

    private func text(of error: FramingError) -> String {
        switch error {
        case .lengthInvalid(let length): "its frame claims \(length) bytes: this is not Kafka's protocol"
        case .tooLarge(let length, let max): "its frame claims \(length) bytes, more than the \(max) that are allowed"
        }
    }

    /// Brings the sum of unfinished frames up to date.
    private func count(_ connection: Connection) {
        let bytes = connection.isClosing ? 0 : connection.frames.count + connection.unread.count
        let isElderDone = elder == connection.id && (connection.isClosing || connection.frames.isEmpty)
        if isElderDone { elder = nil }
        let more = bytes - connection.counted
        readBytes += more
        connection.counted = bytes
        if isElderDone || more < 0 { releaseWaiting() }
    }

    /// Looks again at those that waited for a limit over all connections.
    private func releaseWaiting() {
        guard !waiting.isEmpty else { return }
        guard readBytes <= limits.readBytesMax || elder == nil, unsentBytes <= limits.unsentTotalBytesMax else {
            return
        }
        let all = waiting
        waiting = []
        for id in all {
            if let connection = connections[id] { touch(connection) }
        }
    }

    // MARK: - Sending

    private func send(_ connection: Connection) {
        while let response = connection.slots.next() {
            guard let response else { continue }
            if connection.outgoing.isEmpty { connection.sentMs = nowMs }
            guard connection.outgoing.append(response) else {
                return drop(connection, .error, "an answer of \(response.count) bytes does not fit in a frame")
            }
        }
        var left = Self.bytesPerEvent
        while !connection.isBlocked, !connection.outgoing.isEmpty {
            // With more to send, the socket is writable and the loop comes back at once.
            guard left > 0 else {
                connection.isBlocked = true
                return
            }
            let pieces = connection.outgoing.front(piecesMax: Self.piecesPerCall)
            switch Socket.send(connection.socket, pieces) {
            case .moved(let count):
                connection.outgoing.remove(count)
                connection.unsent -= count
                unsentBytes -= count
                connection.sentMs = nowMs
                connection.activeMs = nowMs
                left -= count
                // Only now, with fewer bytes: those that wait send as well when they are looked at.
                releaseWaiting()
            case .wouldBlock, .ended:
                connection.isBlocked = true
                nextSweepMs = min(nextSweepMs, connection.nextLookMs(limits))
            case .failed(let number): return drop(connection, .debug, ServerError.text(of: number))
            }
        }
    }

    // MARK: - Ending

    /// Ends a connection at once. The handler learns of it when the event is over.
    func drop(_ connection: Connection, _ level: LogLevel, _ reason: String) {
        guard !connection.isClosing else { return }
        connection.isClosing = true
        if level > .debug {
            report(level, "A connection was closed: \(reason).", connection.peer, "closed")
        }
        connection.poll?.close()
        connection.poll = nil
        Socket.close(connection.socket)
        connections[connection.id] = nil
        waiting.remove(connection.id)
        unsentBytes -= connection.unsent
        connection.unsent = 0
        count(connection)
        closed.append(connection.id)
    }

    /// Ends the connections whose time is over, and takes clients again after the system had no room for them.
    func sweep() {
        for listener in listeners where listener.isPaused { listener.resume() }
        var next = Int64.max
        for connection in connections.values {
            switch connection.overdue(limits, nowMs: nowMs) {
            case .idle: drop(connection, .debug, "it was idle")
            case .frameUnfinished(let bytes):
                drop(connection, .warning, "its frame was not finished in time (\(bytes) bytes came)")
            case .stalled(let bytes): drop(connection, .warning, "it took none of \(bytes) bytes in time")
            case nil: next = min(next, connection.nextLookMs(limits))
            }
        }
        // Looking at all of them costs little, but not at each event.
        nextSweepMs = max(next, nowMs &+ min(1_000, max(10, limits.frameMs / 4)))
    }
}
