"""A small ctypes binding to librdkafka, to write input and to watch progress often and cheaply.

The verdict of a test never comes from here: `verify` reads topics with kcat and with Kafka's own console consumer.
"""

import ctypes as c
import time

lib = c.CDLL("librdkafka.so.1")
PRODUCER, CONSUMER = 0, 1
CONF_OK, QUEUE_FULL, COPY = 0, -184, 0x2
UNSET_OFFSET = -1001


class TopicPartition(c.Structure):
    _fields_ = [
        ("topic", c.c_char_p),
        ("partition", c.c_int32),
        ("offset", c.c_int64),
        ("metadata", c.c_void_p),
        ("metadata_size", c.c_size_t),
        ("opaque", c.c_void_p),
        ("err", c.c_int),
        ("private", c.c_void_p),
    ]


class TopicPartitionList(c.Structure):
    _fields_ = [("cnt", c.c_int), ("size", c.c_int), ("elems", c.POINTER(TopicPartition))]


class Message(c.Structure):
    _fields_ = [
        ("err", c.c_int),
        ("rkt", c.c_void_p),
        ("partition", c.c_int32),
        ("payload", c.c_void_p),
        ("len", c.c_size_t),
        ("key", c.c_void_p),
        ("key_len", c.c_size_t),
        ("offset", c.c_int64),
        ("private", c.c_void_p),
    ]


class GroupInfo(c.Structure):
    _fields_ = [
        ("broker_id", c.c_int32),
        ("broker_host", c.c_char_p),
        ("broker_port", c.c_int),
        ("group", c.c_char_p),
        ("err", c.c_int),
        ("state", c.c_char_p),
        ("protocol_type", c.c_char_p),
        ("protocol", c.c_char_p),
        ("members", c.c_void_p),
        ("member_cnt", c.c_int),
    ]


class GroupList(c.Structure):
    _fields_ = [("groups", c.POINTER(GroupInfo)), ("group_cnt", c.c_int)]


DELIVERY = c.CFUNCTYPE(None, c.c_void_p, c.POINTER(Message), c.c_void_p)


def declare(name, result, *arguments):
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments
    return function


conf_new = declare("rd_kafka_conf_new", c.c_void_p)
conf_set = declare("rd_kafka_conf_set", c.c_int, c.c_void_p, c.c_char_p, c.c_char_p, c.c_char_p, c.c_size_t)
conf_set_dr = declare("rd_kafka_conf_set_dr_msg_cb", None, c.c_void_p, DELIVERY)
new = declare("rd_kafka_new", c.c_void_p, c.c_int, c.c_void_p, c.c_char_p, c.c_size_t)
destroy = declare("rd_kafka_destroy", None, c.c_void_p)
poll = declare("rd_kafka_poll", c.c_int, c.c_void_p, c.c_int)
flush = declare("rd_kafka_flush", c.c_int, c.c_void_p, c.c_int)
topic_new = declare("rd_kafka_topic_new", c.c_void_p, c.c_void_p, c.c_char_p, c.c_void_p)
topic_destroy = declare("rd_kafka_topic_destroy", None, c.c_void_p)
produce = declare(
    "rd_kafka_produce",
    c.c_int,
    c.c_void_p,
    c.c_int32,
    c.c_int,
    c.c_char_p,
    c.c_size_t,
    c.c_char_p,
    c.c_size_t,
    c.c_void_p,
)
last_error = declare("rd_kafka_last_error", c.c_int)
err2str = declare("rd_kafka_err2str", c.c_char_p, c.c_int)
list_new = declare("rd_kafka_topic_partition_list_new", c.POINTER(TopicPartitionList), c.c_int)
list_add = declare(
    "rd_kafka_topic_partition_list_add", c.POINTER(TopicPartition), c.POINTER(TopicPartitionList), c.c_char_p, c.c_int32
)
list_destroy = declare("rd_kafka_topic_partition_list_destroy", None, c.POINTER(TopicPartitionList))
committed = declare("rd_kafka_committed", c.c_int, c.c_void_p, c.POINTER(TopicPartitionList), c.c_int)
watermarks = declare(
    "rd_kafka_query_watermark_offsets",
    c.c_int,
    c.c_void_p,
    c.c_char_p,
    c.c_int32,
    c.POINTER(c.c_int64),
    c.POINTER(c.c_int64),
    c.c_int,
)
list_groups = declare(
    "rd_kafka_list_groups", c.c_int, c.c_void_p, c.c_char_p, c.POINTER(c.POINTER(GroupList)), c.c_int
)
group_list_destroy = declare("rd_kafka_group_list_destroy", None, c.POINTER(GroupList))
error_string = declare("rd_kafka_error_string", c.c_char_p, c.c_void_p)
error_destroy = declare("rd_kafka_error_destroy", None, c.c_void_p)
transaction = {
    verb: declare(f"rd_kafka_{verb}", c.c_void_p, c.c_void_p, *([c.c_int] if verb != "begin_transaction" else []))
    for verb in ("init_transactions", "begin_transaction", "commit_transaction", "abort_transaction")
}


class ClientError(Exception):
    pass


def handle(kind, settings, delivery=None):
    conf = conf_new()
    text = c.create_string_buffer(512)
    for name, value in {"log_level": "0", "reconnect.backoff.max.ms": "200", **settings}.items():
        if conf_set(conf, name.encode(), str(value).encode(), text, 512) != CONF_OK:
            raise ClientError(text.value.decode())
    if delivery:
        conf_set_dr(conf, delivery)
    client = new(kind, conf, text, 512)
    if not client:
        raise ClientError(text.value.decode())
    return client


class Producer:
    """An idempotent producer (transactional with `transactional_id`); `flush` raises unless every record arrived."""

    def __init__(self, bootstrap, transactional_id=None, **settings):
        self.failed, self.topics = [], {}
        self.callback = DELIVERY(
            lambda _client, message, _opaque: self.failed.append(message[0].err) if message[0].err else None
        )
        options = {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": "true",
            "linger.ms": "5",
            "queue.buffering.max.messages": "200000",
            "delivery.report.only.error": "true",
        }
        if transactional_id:
            options["transactional.id"] = transactional_id
        self.client = handle(
            PRODUCER, {**options, **{k.replace("_", "."): v for k, v in settings.items()}}, self.callback
        )
        if transactional_id:
            self._transaction("init_transactions")

    def send(self, topic, partition, value, key=None):
        if topic not in self.topics:
            self.topics[topic] = topic_new(self.client, topic.encode(), None)
        place = self.topics[topic]
        while produce(place, partition, COPY, value, len(value), key, len(key) if key is not None else 0, None) == -1:
            if last_error() != QUEUE_FULL:
                raise ClientError(err2str(last_error()).decode())
            poll(self.client, 5)

    def flush(self, seconds=120):
        code = flush(self.client, seconds * 1000)
        if code or self.failed:
            raise ClientError(
                f"input was not written: {err2str(code or self.failed[0]).decode()} ({len(self.failed)} records)"
            )

    def begin(self):
        self._transaction("begin_transaction")

    def commit(self):
        self._transaction("commit_transaction")

    def abort(self):
        self.flush()  # so that the broker has what is aborted; without any record librdkafka's abort itself fails
        self._transaction("abort_transaction")
        self.failed.clear()

    def close(self):
        if self.client:
            for place in self.topics.values():
                topic_destroy(place)
            destroy(self.client)
            self.client = None

    def _transaction(self, verb):
        error = transaction[verb](self.client, *([30_000] if verb != "begin_transaction" else []))
        if error:
            text = error_string(error).decode()
            error_destroy(error)
            raise ClientError(f"{verb}: {text}")


class Observer:
    """Looks at a group's committed offsets and at a topic's ends, without joining anything."""

    def __init__(self, bootstrap, group, **settings):
        self.common = {"bootstrap.servers": bootstrap, **{k.replace("_", "."): v for k, v in settings.items()}}
        self.group = group
        self.plain = handle(CONSUMER, {**self.common, "group.id": group, "isolation.level": "read_uncommitted"})
        self.stable = self._stable()

    def _stable(self):
        name = self.group + "-observer"
        return handle(CONSUMER, {**self.common, "group.id": name, "isolation.level": "read_committed"})

    def committed(self, topic, partitions, seconds=5):
        """The next offset to read of each partition; 0 where nothing is committed; None when the broker does not
        answer.
        """
        wanted = list_new(partitions)
        try:
            for partition in range(partitions):
                list_add(wanted, topic.encode(), partition)
            if committed(self.plain, wanted, int(seconds * 1000)):
                return None
            found = [wanted[0].elems[i] for i in range(wanted[0].cnt)]
            if any(entry.err for entry in found):
                return None
            return [0 if entry.offset == UNSET_OFFSET else entry.offset for entry in found]
        finally:
            list_destroy(wanted)

    def ends(self, topic, partitions, stable=False, seconds=5):
        """The end of each partition: the high watermark, or with `stable` the last stable offset; None when no
        answer comes.
        """
        low, high, result = c.c_int64(), c.c_int64(), []
        for partition in range(partitions):
            client = self.stable if stable else self.plain
            if watermarks(client, topic.encode(), partition, c.byref(low), c.byref(high), int(seconds * 1000)):
                if stable:
                    # One that first connects while the broker is stopped may never find its way.
                    destroy(self.stable)
                    self.stable = self._stable()
                return None
            result.append(high.value)
        return result

    def members(self, seconds=5):
        """How many members the group has once it is at rest; None while it rebalances or no answer comes."""
        found = c.POINTER(GroupList)()
        if list_groups(self.plain, self.group.encode(), c.byref(found), int(seconds * 1000)):
            return None
        try:
            groups = [found[0].groups[i] for i in range(found[0].group_cnt)]
            stable = [group.member_cnt for group in groups if not group.err and group.state == b"Stable"]
            return stable[0] if stable else None
        finally:
            group_list_destroy(found)

    def close(self):
        for client in (self.plain, self.stable):
            destroy(client)


def settled(read, seconds=30):
    """What `read` gives once it gives the same twice: right after a kill the broker may still be finishing a commit."""

    def twice():
        first = read()
        time.sleep(0.15)
        return (first,) if first is not None and first == read() else None

    return wait_until("progress that does not move", twice, seconds)[0]


def wait_until(what, condition, seconds, every=0.02):
    """Waits for a condition and returns its (true) value; raises with `what` when the deadline passes."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(every)
