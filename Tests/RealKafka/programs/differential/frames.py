"""Kafka requests byte by byte: what a well-behaved client never sends, and what confluent-kafka has no call for.

Versions are old ones that Kafka 4 still takes, because their coding is simple; two requests exist in the newer
coding alone (`flexible`).
"""

import socket
import struct

PRODUCE, FETCH, OFFSET_COMMIT, INIT_PRODUCER, ADD_PARTITIONS, ADD_OFFSETS = 0, 1, 8, 22, 24, 25
END_TRANSACTION, TRANSACTION_OFFSETS, OFFSET_DELETE, DESCRIBE_PRODUCERS, DESCRIBE_TRANSACTIONS = 26, 28, 47, 61, 65
COMPRESSION, LOG_APPEND_TIME, TRANSACTIONAL, CONTROL = 0x07, 0x08, 0x10, 0x20  # in a batch's attributes
CRC_TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    CRC_TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


class Writer:
    def __init__(self, flexible=False):
        self.data, self.flexible = bytearray(), flexible

    def put(self, form, *values):
        self.data += struct.pack(">" + form, *values)
        return self

    def varint(self, value):
        while value > 0x7F:
            self.data.append(value & 0x7F | 0x80)
            value >>= 7
        self.data.append(value)
        return self

    def string(self, text):
        data = None if text is None else text.encode()
        if self.flexible:
            self.varint(0 if data is None else len(data) + 1)
        else:
            self.put("h", -1 if data is None else len(data))
        self.data += data or b""
        return self

    def bytes(self, data):
        self.put("i", len(data))
        self.data += data
        return self

    def array(self, items, write):
        self.varint(len(items) + 1) if self.flexible else self.put("i", len(items))
        for item in items:
            write(item)
        return self

    def tags(self):
        return self.varint(0) if self.flexible else self


class Reader:
    def __init__(self, data, flexible=False):
        self.data, self.at, self.flexible = data, 0, flexible

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def string(self):
        size = self.varint() - 1 if self.flexible else self.take("h")
        self.at += max(size, 0)
        return None if size < 0 else bytes(self.data[self.at - size : self.at]).decode()

    def array(self, read):
        size = self.varint() - 1 if self.flexible else self.take("i")
        return [read() for _ in range(size)]

    def tags(self):
        if self.flexible and self.varint():
            raise ValueError("a response with tagged fields")


class Connection:
    """One request at a time."""

    def __init__(self, bootstrap):
        host, port = bootstrap.rsplit(":", 1)
        self.socket, self.number = socket.create_connection((host, int(port)), 20), 0
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def ask(self, key, version, body, answers=True):
        self.number += 1
        head = Writer().put("hhi", key, version, self.number).string("differential")
        if body.flexible:
            head.put("b", 0)
        message = bytes(head.data + body.data)
        self.socket.sendall(struct.pack(">i", len(message)) + message)
        if not answers:
            return None
        answer = Reader(self.read(struct.unpack(">i", self.read(4))[0]), body.flexible)
        if answer.take("i") != self.number:
            raise ValueError("an answer to another request")
        answer.tags()
        return answer

    def read(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the broker closed the connection")
            data += part
        return data


# MARK: record batches


def signed_varint(writer, value):
    return writer.varint((value << 1) ^ (value >> 63))


def record(delta, value):
    body = Writer().put("b", 0)
    for number in (0, delta, -1, len(value)):  # the time, the offset, no key
        signed_varint(body, number)
    body.data += value
    signed_varint(body, 0)
    return bytes(signed_varint(Writer(), len(body.data)).data + body.data)


def batch(values, timestamp, producer=(-1, -1), sequence=-1, attributes=0):
    records = b"".join(record(delta, value) for delta, value in enumerate(values))
    tail = Writer().put("hiqq", attributes, len(values) - 1, timestamp, timestamp)
    tail.put("qhii", *producer, sequence, len(values))
    covered = bytes(tail.data) + records
    head = Writer().put("ibI", -1, 2, crc32c(covered))
    return bytes(Writer().put("qi", 0, len(head.data) + len(covered)).data + head.data) + covered


# MARK: requests


def by_partition(body, topic, partition, fill):
    """The usual array of topics, with one topic and one partition in it."""

    def write(_):
        body.string(topic).array([partition], fill).tags()

    return body.array([topic], write)


def init_producer(connection, transactional_id):
    """(error, producer id, epoch)"""
    answer = connection.ask(INIT_PRODUCER, 1, Writer().string(transactional_id).put("i", 60_000))
    return answer.take("ihqh")[1:]


def produce(connection, transactional_id, topic, partition, data, acks=-1):
    body = Writer().string(transactional_id).put("hi", acks, 10_000)
    by_partition(body, topic, partition, lambda partition: body.put("i", partition).bytes(data))
    answer = connection.ask(PRODUCE, 8, body)

    def read():
        _, error, offset, _, start = answer.take("ihqqq")
        wrong = answer.array(lambda: (answer.take("i"), answer.string())[0])
        answer.string()
        return error, offset, start, wrong

    return answer.array(lambda: (answer.string(), answer.array(read))[1])[0][0]


def fetch(connection, topic, partition, offset, isolation):
    """(error, high watermark, last stable offset, offset of the first batch)"""
    error, high, stable, data = fetched(connection, topic, partition, offset, isolation)
    return error, high, stable, struct.unpack_from(">q", data)[0] if data else None


def batches(connection, topic, partition, start):
    """(first offset, last offset, attributes) of each batch"""
    data, at, found = fetched(connection, topic, partition, start, 0)[3], 0, []
    while at < len(data):
        first, size = struct.unpack_from(">qi", data, at)
        attributes, delta = struct.unpack_from(">hi", data, at + 21)
        found.append((first, first + delta, attributes))
        at += 12 + size
    return found


def fetched(connection, topic, partition, offset, isolation):
    """(error, high watermark, last stable offset, batches)"""
    body = Writer().put("iiiib", -1, 0, 1, 1 << 24, isolation)
    by_partition(body, topic, partition, lambda partition: body.put("iqi", partition, offset, 1 << 24))
    answer = connection.ask(FETCH, 4, body)
    answer.take("i")

    def read():
        _, error, high, stable = answer.take("ihqq")
        if (aborted := answer.take("i")) > 0:
            answer.at += 16 * aborted
        size = max(answer.take("i"), 0)
        answer.at += size
        return error, high, stable, answer.data[answer.at - size : answer.at]

    return answer.array(lambda: (answer.string(), answer.array(read))[1])[0][0]


def add_partition(connection, transactional_id, producer, topic, partition):
    body = Writer().string(transactional_id).put("qh", *producer)
    by_partition(body, topic, partition, lambda partition: body.put("i", partition))
    return error_of_partition(connection.ask(ADD_PARTITIONS, 1, body), "i")


def add_offsets(connection, transactional_id, producer, group):
    body = Writer().string(transactional_id).put("qh", *producer).string(group)
    return connection.ask(ADD_OFFSETS, 1, body).take("ih")[1]


def transaction_offset(connection, transactional_id, producer, group, topic, partition, offset):
    body = Writer().string(transactional_id).string(group).put("qh", *producer)
    by_partition(body, topic, partition, lambda partition: body.put("iqi", partition, offset, -1).string(None))
    return error_of_partition(connection.ask(TRANSACTION_OFFSETS, 2, body), "i")


def end_transaction(connection, transactional_id, producer, commits):
    body = Writer().string(transactional_id).put("qh?", *producer, commits)
    return connection.ask(END_TRANSACTION, 1, body).take("ih")[1]


def commit_offset(connection, group, generation, member, topic, partition, offset, metadata):
    body = Writer().string(group).put("i", generation).string(member).string(None)
    by_partition(body, topic, partition, lambda partition: body.put("iqi", partition, offset, -1).string(metadata))
    return error_of_partition(connection.ask(OFFSET_COMMIT, 7, body), "i")


def delete_offset(connection, group, topic, partition):
    """(error of the group, error of the partition or None)"""
    body = Writer().string(group)
    by_partition(body, topic, partition, lambda partition: body.put("i", partition))
    answer = connection.ask(OFFSET_DELETE, 0, body)
    error = answer.take("h")
    return error, error_of_partition(answer, "i")


def error_of_partition(answer, before):
    answer.take(before)
    found = answer.array(lambda: (answer.string(), answer.array(lambda: answer.take("ih")[1]))[1])
    return found[0][0] if found else None


def describe_producers(connection, topic, partition):
    """(error, what is known of each producer but its id and its times)"""
    body = Writer(flexible=True)
    by_partition(body, topic, partition, lambda partition: body.put("i", partition)).tags()
    answer = connection.ask(DESCRIBE_PRODUCERS, 0, body)
    answer.take("i")

    def producer():
        _, epoch, sequence, _, _, start = answer.take("qiiqiq")
        answer.tags()
        return epoch, sequence, start

    def read():
        _, error = answer.take("ih")
        answer.string()
        return error, sorted(answer.array(producer))

    return answer.array(lambda: (answer.string(), answer.array(read))[1])[0][0]


def describe_transaction(connection, transactional_id):
    """(error, state, time-out, epoch, partitions)"""
    body = Writer(flexible=True)
    body.array([transactional_id], body.string).tags()
    answer = connection.ask(DESCRIBE_TRANSACTIONS, 0, body)
    answer.take("i")
    answer.varint()
    error, _, state = answer.take("h"), answer.string(), answer.string()
    timeout, _, _, epoch = answer.take("iqqh")

    def topic():
        found = answer.string(), sorted(answer.array(lambda: answer.take("i")))
        answer.tags()
        return found

    return error, state, timeout, epoch, sorted(answer.array(topic))
