/// What became of a batch.
package struct AppendResult: Hashable, Sendable {
    package var firstOffset: Int64
    package var lastOffset: Int64
    /// -1 where the topic keeps the producers' times.
    package var logAppendTime: Int64
    package var logStartOffset: Int64
    /// The batch had been written before: the offsets are those of then.
    package var isDuplicate = false
}

extension PartitionLog {
    /// Appends the records field of a produce request: exactly one batch of format 2.
    ///
    /// - Parameter isVerified: asked about the first batch of a transaction here, before all else, as Kafka does:
    ///   whether the coordinator knows that this partition is a part of the producer's transaction.
    package func append(
        _ records: ArraySlice<UInt8>, at now: Int64, origin: AppendOrigin = .client,
        isVerified: (_ producerId: Int64, _ producerEpoch: Int16) -> Bool = { _, _ in true }
    ) throws(AppendError) -> AppendResult {
        if origin == .client, let header = try? RecordBatchHeader(records), producers.beginsTransaction(header),
            !isVerified(header.producerId, header.producerEpoch)
        {
            throw .invalidTransactionState(producerId: header.producerId)
        }
        var header = try checkedHeader(of: records, origin)
        let maxTimestamp = try checkedMaxTimestamp(of: records, header, now)
        header.baseOffset = endOffset
        header.leaderEpoch = leaderEpoch
        guard header.lastOffset >= endOffset, header.lastOffset < Int64.max else {
            throw .invalidRecord("the log has no offsets left")
        }
        if header.hasProducerId,
            case .duplicate(let known) = try producers.check(header, origin: origin)
        {
            return result(known.firstOffset, known.lastOffset, time: known.timestamp, isDuplicate: true)
        }
        let isAppendTime = config.timestampType == .logAppendTime
        var batch = Array(records)
        batch.set(number: header.baseOffset, at: 0)
        batch.set(number: header.leaderEpoch, at: 12)
        if isAppendTime || maxTimestamp != header.maxTimestamp {
            header.maxTimestamp = maxTimestamp
            if isAppendTime { header.attributes |= 0x08 }
            batch.set(number: header.attributes, at: 21)
            batch.set(number: header.maxTimestamp, at: 35)
            RecordBatchHeader.setChecksum(of: &batch)
        }
        try store(batch, header)
        if header.hasProducerId { producers.add(header) }
        return result(header.baseOffset, header.lastOffset, time: maxTimestamp, isDuplicate: false)
    }

    /// Ends a producer's transaction here; returns the marker's offset.
    package func appendMarker(
        _ result: TransactionResult, producerId: Int64, producerEpoch: Int16, coordinatorEpoch: Int32, at now: Int64,
        transactionVersion: Int16 = 1
    ) throws(AppendError) -> Int64 {
        try producers.checkMarker(
            producerId: producerId, epoch: producerEpoch, coordinatorEpoch: coordinatorEpoch,
            transactionVersion: transactionVersion)
        guard endOffset < Int64.max - 1 else { throw .invalidRecord("the log has no offsets left") }
        var batch = RecordBatchBuilder.marker(
            result, producerId: producerId, producerEpoch: producerEpoch, coordinatorEpoch: coordinatorEpoch,
            timestamp: now, baseOffset: endOffset)
        batch.set(number: leaderEpoch, at: 12)
        let header: RecordBatchHeader
        do { header = try RecordBatchHeader(batch[...]) } catch { throw AppendError(error) }
        try store(batch, header)
        end(header, TransactionMarker(result: result, coordinatorEpoch: coordinatorEpoch))
        return header.baseOffset
    }

    // MARK: -

    /// Takes a marker into the producers' states and the aborted transactions.
    func end(_ header: RecordBatchHeader, _ marker: TransactionMarker) {
        let completed = producers.addMarker(
            producerId: header.producerId, epoch: header.producerEpoch, coordinatorEpoch: marker.coordinatorEpoch,
            offset: header.baseOffset, timestamp: header.maxTimestamp, isLogCut: startOffset > 0)
        guard let completed, marker.result == .abort else { return }
        aborted.add(
            AbortedTransaction(
                producerId: completed.producerId, firstOffset: completed.firstOffset,
                lastOffset: completed.lastOffset, lastStableOffset: producers.firstOpenOffset ?? endOffset))
    }

    private func store(_ batch: [UInt8], _ header: RecordBatchHeader) throws(AppendError) {
        let position = storage.endPosition
        do {
            try storage.append(batch[...], baseOffset: header.baseOffset, maxTimestamp: header.maxTimestamp)
        } catch { throw .storage(error) }
        index.add(baseOffset: header.baseOffset, position: position, maxTimestamp: header.maxTimestamp)
        endOffset = header.nextOffset
    }

    private func result(_ first: Int64, _ last: Int64, time: Int64, isDuplicate: Bool) -> AppendResult {
        AppendResult(
            firstOffset: first, lastOffset: last, logAppendTime: config.timestampType == .logAppendTime ? time : -1,
            logStartOffset: startOffset, isDuplicate: isDuplicate)
    }

    private func checkedHeader(of records: ArraySlice<UInt8>, _ origin: AppendOrigin) throws(AppendError)
        -> RecordBatchHeader
    {
        guard !records.isEmpty else { throw .invalidRecord("there is no record batch") }
        let header: RecordBatchHeader
        do { header = try RecordBatchHeader(records) } catch { throw AppendError(error) }
        guard header.byteCount <= records.count else { throw .corrupt }
        guard header.byteCount == records.count else {
            throw .invalidRecord("a produce request has exactly one record batch for a partition")
        }
        guard header.byteCount <= config.messageBytesMax else {
            throw .tooLarge(bytes: header.byteCount, bytesMax: config.messageBytesMax)
        }
        do { _ = try RecordBatchHeader(checked: records) } catch { throw AppendError(error) }
        guard header.compression <= 4 else { throw .unsupportedCompression(header.compression) }
        guard header.count > 0, header.lastOffsetDelta >= 0, header.count - 1 == header.lastOffsetDelta else {
            throw .invalidRecord("the number of records does not match the offsets")
        }
        guard !header.isControl else { throw .invalidRecord("a client may not write control records") }
        if origin == .client {
            guard header.baseOffset == 0 else { throw .invalidRecord("the base offset is not 0") }
            guard !header.hasProducerId || header.baseSequence >= 0 else {
                throw .invalidRecord("a producer's batch has no sequence number")
            }
        }
        guard !header.hasProducerId || header.producerEpoch >= 0 else {
            throw .invalidRecord("a producer's batch has no epoch")
        }
        return header
    }

    /// Checks the records of an uncompressed batch, and says what the header's greatest time has to be.
    private func checkedMaxTimestamp(of batch: ArraySlice<UInt8>, _ header: RecordBatchHeader, _ now: Int64)
        throws(AppendError) -> Int64
    {
        let isAppendTime = config.timestampType == .logAppendTime
        guard isAppendTime || header.timestampType == .createTime else {
            throw .invalidTimestamp(header.maxTimestamp)
        }
        guard !header.isCompressed else {
            guard isAppendTime || isInRange(header.maxTimestamp, now) else {
                throw .invalidTimestamp(header.maxTimestamp)
            }
            return isAppendTime ? now : header.maxTimestamp
        }
        let bytes = batch.span.bytes
        var cursor = RecordCursor(header)
        var expected: Int32 = 0
        var latest: Int64 = -1
        var faults: [RecordFault] = []
        while let record = try next(&cursor, bytes) {
            guard record.offsetDelta == expected else {
                throw .invalidRecord("the records' offsets do not follow one another")
            }
            let timestamp = header.baseTimestamp &+ record.timestampDelta
            if record.key == nil, config.isCompacted {
                faults.append(RecordFault(index: expected, reason: .noKey))
            } else if !isAppendTime, !isInRange(timestamp, now) {
                faults.append(RecordFault(index: expected, reason: .timestamp(timestamp)))
            }
            expected &+= 1
            latest = max(latest, timestamp)
        }
        guard faults.isEmpty else { throw .refusedRecords(faults) }
        return isAppendTime ? now : latest
    }

    private func next(_ cursor: inout RecordCursor, _ batch: RawSpan) throws(AppendError) -> RecordFields? {
        do { return try cursor.next(batch) } catch { throw AppendError(error) }
    }

    /// A time that is missing (-1) is always accepted.
    private func isInRange(_ timestamp: Int64, _ now: Int64) -> Bool {
        guard timestamp >= 0 else { return timestamp == -1 }
        return timestamp < now
            ? now - timestamp <= config.timestampBeforeMsMax : timestamp &- now <= config.timestampAfterMsMax
    }
}
