"""Operations from a seed. The generator keeps just enough of a model to ask mostly for what makes sense; what does not
make sense is asked for on purpose, because its error is compared, too.
"""

import random
from dataclasses import dataclass, field

PHASES, PHASE_SIZE = 4, 15
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
GROUPS = ("group-0", "group-1")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
# Retention would delete at a moment of its own, and compaction clean at one: neither is to happen here.
KEPT = {"retention.ms": "-1", "min.compaction.lag.ms": str(30 * DAY_MS)}
SETTINGS = (
    ("max.message.bytes", ("700", "5000", "1048588")),
    ("message.timestamp.type", ("LogAppendTime", "CreateTime")),
    ("message.timestamp.before.max.ms", (str(DAY_MS), str(30 * DAY_MS))),
    ("message.timestamp.after.max.ms", (str(HOUR_MS), str(10 * DAY_MS))),
    ("segment.bytes", ("1048576", "16777216")),
    ("retention.bytes", ("-1", "1073741824")),
    ("flush.ms", ("100000",)),
    ("unclean.leader.election.enable", ("false", "true")),
)
# Set with a topic alone: Kafka writes all of its batches anew.
COMPRESSION = ("compression.type", ("producer", "gzip", "lz4", "snappy", "zstd", "uncompressed"))
WRONG_SETTINGS = (
    ("max.message.bytes", "-1"),
    ("cleanup.policy", "shred"),
    ("retention.ms", "forever"),
    ("segment.bytes", "1"),
    ("no.such.setting", "1"),
    ("min.cleanable.dirty.ratio", "2"),
    ("message.timestamp.type", "Never"),
)


@dataclass(frozen=True)
class WriterSpec:
    """A producer: how it writes, and which transactional id it has."""

    name: str
    kind: str
    codec: str
    batch: int = 1000
    transaction: str | None = None


@dataclass(frozen=True)
class Operation:
    verb: str
    arguments: dict

    def __str__(self):
        words = (f"{name}={self.short(value)}" for name, value in self.arguments.items())
        return f"{self.verb}({', '.join(words)})"

    @staticmethod
    def short(value):
        text = value.name if isinstance(value, WriterSpec) else repr(value)
        return text if len(text) <= 200 else text[:200] + "…"


@dataclass
class Transactions:
    """The transactional producer of an id: the one that may write, those that it fenced, and what is open."""

    writer: WriterSpec
    zombies: list = field(default_factory=list)
    is_open: bool = False
    topics: set = field(default_factory=set)


class Schedule:
    """`base` is a time just past, in ms, around which the records' times lie."""

    def __init__(self, seed, base):
        self.random, self.base = random.Random(seed), base
        self.topics, self.raw, self.sequences = {}, {}, {}
        self.plain = [WriterSpec(f"plain-{codec}", "plain", codec) for codec in CODECS]
        self.idempotent = [WriterSpec(f"idempotent-{number}", "idempotent", self.codec(), 3) for number in range(2)]
        self.transactions = {}
        self.raw_topics = set()
        self.phases = [self.first()] + [self.phase() for _ in range(PHASES)] + [self.last()]

    # MARK: phases

    def first(self):
        """Three topics, three transactional producers, two producers of bare frames."""
        steps = [
            Operation("create_topic", {"topic": topic, "partitions": partitions, "config": config})
            for topic, partitions, config in (
                ("deleted", 2, KEPT),
                ("compacted", 1, {**KEPT, "cleanup.policy": "compact"}),
                ("any", self.random.randint(1, 3), {**KEPT, **self.config()}),
            )
        ]
        for step in steps:
            self.topics[step.arguments["topic"]] = step.arguments["partitions"]
        for number in range(3):
            transaction = f"transaction-{number}"
            writer = WriterSpec(f"{transaction}-0", "transactional", self.codec(), transaction=transaction)
            self.transactions[transaction] = Transactions(writer)
            steps.append(Operation("start", {"writer": writer}))
        self.raw = [
            WriterSpec("raw-idempotent", "raw", "none"),
            WriterSpec("raw-transactional", "raw", "none", transaction="raw-transaction"),
        ]
        return steps + [Operation("raw_start", {"writer": writer}) for writer in self.raw]

    def phase(self):
        makers = (
            (self.write, 10), (self.begin, 6), (self.write_in_transaction, 10), (self.finish, 5), (self.offsets, 3),
            (self.fence, 1), (self.zombie, 2), (self.commit_offsets, 3), (self.raw_write, 8), (self.raw_step, 6),
            (self.delete_records, 3), (self.alter_config, 2), (self.add_partitions, 1), (self.change_topics, 1),
            (self.group_step, 2), (self.raw_fetch, 2), (self.create_wrongly, 1),
        )
        steps = []
        while len(steps) < PHASE_SIZE:
            (maker,) = self.random.choices([maker for maker, _ in makers], [weight for _, weight in makers])
            steps += maker() or []
        return steps

    def last(self):
        """Ends what is open: everything is stable then."""
        steps = [step for transaction in self.transactions.values() if transaction.is_open
                 for step in self.finish(transaction)]
        return steps + [Operation("raw_end", {"writer": self.raw[1], "commits": True, "age": 0})]

    # MARK: values

    def codec(self):
        return self.random.choice(CODECS)

    def config(self):
        chosen = self.random.sample(SETTINGS + (COMPRESSION,), self.random.randint(0, 2))
        return {name: self.random.choice(values) for name, values in chosen}

    def place(self):
        """A topic and a partition, now and then one that is not there."""
        topic = self.random.choice(sorted(self.topics))
        return {"topic": topic, "partition": self.random.randrange(self.topics[topic])}

    def maybe_wrong_place(self):
        place = self.place()
        if self.random.random() < 0.1:
            place["partition"] = 77
        elif self.random.random() < 0.05:
            place["topic"] = "missing"
        return place

    def time(self, is_any=True):
        kind = self.random.random() if is_any else 1
        if kind < 0.05:
            return self.base - 2 * DAY_MS
        if kind < 0.1:
            return self.base + 2 * DAY_MS
        return self.base - self.random.randrange(1000) * 100

    def records(self, topic, writer):
        """`millrace broker` does not open compressed batches: they get no record that a topic refuses. Nor do those of
        idempotent producers, because librdkafka begins a new epoch after it when its own time has come.
        """
        is_any = writer.kind == "plain" and writer.codec == "none"

        def data(choices):
            return self.random.choice(choices)

        def value():
            return data((None, b"", b"v", bytes(self.random.randbytes(20)), b"x" * 900, self.random.randbytes(600)))

        def headers():
            return data((None, None, [("h", b"1")], [("a", b""), ("a", None), ("\u00fc", b"\x00\xff")]))

        # A compacted topic takes none without a key.
        keys = (b"", b"k", b"k1", b"k2", "\u00fc".encode())
        if topic != "compacted" or is_any and self.random.random() < 0.3:
            keys += (None,)
        count = self.random.choice((1, 1, 2, 3, 7, 40))
        return [(data(keys), value(), headers(), self.time(is_any)) for _ in range(count)]

    def age(self):
        return self.random.choice((0, 0, 0, 0, 0, 1, -1))

    # MARK: producers

    def write(self, writer=None):
        writer, place = writer or self.random.choice(self.plain + self.idempotent), self.place()
        return [Operation("produce", {"writer": writer, **place, "records": self.records(place["topic"], writer)})]

    def transaction(self, is_open):
        found = [entry for entry in self.transactions.values() if entry.is_open == is_open]
        return self.random.choice(found) if found else None

    def written_in_transactions(self):
        return self.raw_topics.union(*(entry.topics for entry in self.transactions.values()))

    def begin(self):
        if transaction := self.transaction(False):
            transaction.is_open = True
            return [Operation("begin_transaction", {"writer": transaction.writer})]

    def write_in_transaction(self):
        if transaction := self.transaction(True):
            steps = self.write(transaction.writer)
            transaction.topics.add(steps[0].arguments["topic"])
            return steps

    def finish(self, transaction=None):
        if transaction := transaction or self.transaction(True):
            transaction.is_open, transaction.topics = False, set()
            return [Operation(self.random.choice(("commit", "commit", "abort")), {"writer": transaction.writer})]

    def offsets(self):
        if transaction := self.transaction(True):
            group, offset = self.random.choice(GROUPS), self.random.randrange(100)
            arguments = {"writer": transaction.writer, "group": group, **self.place(), "offset": offset}
            return [Operation("send_offsets", arguments)]

    def fence(self):
        """A second producer of the same id, whatever the first has open."""
        transaction = self.random.choice(list(self.transactions.values()))
        old = transaction.writer
        name = f"{old.transaction}-{len(transaction.zombies) + 1}"
        transaction.zombies.append((old, transaction.is_open))
        transaction.writer = WriterSpec(name, "transactional", self.codec(), transaction=old.transaction)
        transaction.is_open, transaction.topics = False, set()
        return [Operation("start", {"writer": transaction.writer})]

    def zombie(self):
        """What a fenced producer tries."""
        found = [entry for entry in self.transactions.values() if entry.zombies]
        if not found:
            return None
        writer, is_open = self.random.choice(found).zombies.pop()
        steps = [] if is_open else [Operation("begin_transaction", {"writer": writer})]
        return steps + self.write(writer) + [Operation("commit", {"writer": writer})]

    # MARK: bare frames

    def raw_write(self):
        """Sequences in order, repeated, with a gap; epochs of others; in a transaction and outside of one."""
        writer, place = self.random.choice(self.raw), self.maybe_wrong_place()
        where, count = (writer.name, place["topic"], place["partition"]), self.random.choice((1, 2, 5))
        last = self.sequences.setdefault(where, [(0, 0)])
        kind = self.random.random()
        sequence = last[-1][0] + last[-1][1]
        if kind < 0.15:
            sequence, count = self.random.choice(last[-6:])
            count = count or 1
        elif kind < 0.25:
            sequence += self.random.choice((1, 5, -1)) if sequence else 3
        else:
            last.append((sequence, count))
        arguments = {"sequence": sequence, "count": count, "age": self.age(), "timestamp": self.time()}
        arguments["transactional"] = writer.transaction is not None and self.random.random() < 0.9
        return [Operation("raw_produce", {"writer": writer, **place, **arguments})]

    def raw_step(self):
        writer, kind = self.raw[1], self.random.random()
        if kind < 0.4:
            place = self.maybe_wrong_place()
            self.raw_topics.add(place["topic"])
            return [Operation("raw_add_partition", {"writer": writer, **place, "age": self.age()})]
        if kind < 0.6:
            group, offset = self.random.choice(GROUPS), self.random.randrange(9)
            where = {"group": group, **self.maybe_wrong_place(), "offset": offset}
            return [Operation("raw_offset", {"writer": writer, **where, "age": self.age()})]
        if kind < 0.9:
            commits, age = self.random.random() < 0.6, self.age()
            self.raw_topics = set() if age == 0 else self.raw_topics
            return [Operation("raw_end", {"writer": writer, "commits": commits, "age": age})]
        # A new epoch begins with new sequences.
        writer = self.random.choice(self.raw)
        for where in [where for where in self.sequences if where[0] == writer.name]:
            del self.sequences[where]
        return [Operation("raw_start", {"writer": writer})]

    def raw_fetch(self):
        offset, isolation = self.random.choice((0, 1, 5, 20, 10_000)), self.random.randrange(2)
        return [Operation("raw_fetch", {**self.maybe_wrong_place(), "offset": offset, "isolation": isolation})]

    # MARK: groups

    def commit_offsets(self):
        metadata = self.random.choice((None, "", "note", "\u00fc" * 9, "m" * 5000))
        where = {"group": self.random.choice(GROUPS), **self.maybe_wrong_place()}
        return [Operation("commit_offsets", {**where, "offset": self.random.randrange(100), "metadata": metadata})]

    def group_step(self):
        group, kind = self.random.choice(GROUPS + ("nobody",)), self.random.random()
        if kind < 0.5:
            return [Operation("delete_offsets", {"group": group, **self.maybe_wrong_place()})]
        if kind < 0.7:
            return [Operation("delete_group", {"group": group})]
        member, generation = self.random.choice((("", -1), ("stranger", 3), ("stranger", -1), ("", 0)))
        where = {"group": group, **self.maybe_wrong_place()}
        return [Operation("commit_as_stranger", {**where, "generation": generation, "member": member})]

    # MARK: topics

    def delete_records(self):
        """Not into an open transaction: Kafka's last stable offset stays behind the log's start then."""
        place, offset = self.maybe_wrong_place(), self.random.choice((-1, 0, 1, 3, 10, 30, 10_000, -5))
        if place["topic"] in self.written_in_transactions():
            return None
        return [Operation("delete_records", {**place, "offset": offset})]

    def alter_config(self):
        topic, kind = self.random.choice(sorted(self.topics) + ["missing"]), self.random.random()
        name, values = self.random.choice(SETTINGS)
        changes = [(name, "SET", self.random.choice(values))]
        if kind < 0.25:
            changes = [(name, "DELETE", None)]
        elif kind < 0.5:
            name, value = self.random.choice(WRONG_SETTINGS)
            changes = [(name, "SET", value)]
        return [Operation("alter_config", {"topic": topic, "changes": changes})]

    def add_partitions(self):
        topic = self.random.choice(sorted(self.topics) + ["missing"])
        count = max(1, self.topics.get(topic, 1) + self.random.choice((-1, 0, 1, 2)))
        self.topics.update({topic: count} if count > self.topics.get(topic, count) else {})
        return [Operation("create_partitions", {"topic": topic, "count": count})]

    def change_topics(self):
        """A topic goes, and one of its name comes."""
        topic = self.random.choice(sorted(self.topics) + ["missing"])
        if topic in self.written_in_transactions():
            return None
        steps = [Operation("delete_topic", {"topic": topic})]
        if topic in self.topics:
            self.topics[topic] = self.random.randint(1, 3)
            config = {**KEPT, **({"cleanup.policy": "compact"} if topic == "compacted" else self.config())}
            arguments = {"topic": topic, "partitions": self.topics[topic], "config": config}
            steps.append(Operation("create_topic", arguments))
        return steps

    def create_wrongly(self):
        name, value = self.random.choice(WRONG_SETTINGS)
        topic, partitions, config = self.random.choice((
            (self.random.choice(sorted(self.topics)), 1, {}), ("wrong", 0, {}), ("wrong", 1, {name: value}),
            ("wrong/name", 1, {}), ("w" * 300, 1, {}),
        ))
        return [Operation("create_topic", {"topic": topic, "partitions": partitions, "config": config})]
