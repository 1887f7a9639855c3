"""One of the two brokers and its clients: carries out operations and says how each ended, without a client's ids."""

import time

import frames
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, ResourceType,
)

LIMIT_S = 6


class Cluster:
    """`prefix` keeps the names of one run apart from those of all others."""

    def __init__(self, name, bootstrap):
        self.name, self.bootstrap = name, bootstrap
        self.common = {"bootstrap.servers": bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 200}
        self.common["error_cb"] = lambda error: None  # what concerns an operation is its outcome
        self.admin, self.raw = AdminClient(self.common), frames.Connection(bootstrap)

    def begin(self, prefix):
        self.prefix, self.producers, self.readers, self.identities = prefix, {}, {}, {}

    def end(self):
        for reader in self.readers.values():
            reader.close()
        self.producers.clear()

    def apply(self, operation):
        """The outcome of an operation: what it gave, or the name of its error."""
        try:
            return getattr(self, operation.verb)(**operation.arguments)
        except KafkaException as error:
            return error.args[0].name()

    def named(self, name):
        return self.prefix + name

    # MARK: topics

    def create_topic(self, topic, partitions, config):
        wait_for(self.admin.create_topics([NewTopic(self.named(topic), partitions, 1, config=config)]))
        self.wait_for_partitions(topic, partitions)

    def create_partitions(self, topic, count):
        wait_for(self.admin.create_partitions([NewPartitions(self.named(topic), count)]))
        self.wait_for_partitions(topic, count)

    def delete_topic(self, topic):
        wait_for(self.admin.delete_topics([self.named(topic)]))
        until("the end of a topic", lambda: self.named(topic) not in self.admin.list_topics(timeout=LIMIT_S).topics)

    def alter_config(self, topic, changes):
        entries = [
            ConfigEntry(name, value, incremental_operation=getattr(AlterConfigOpType, how))
            for name, how, value in changes
        ]
        resource = ConfigResource(ResourceType.TOPIC, self.named(topic), incremental_configs=entries)
        wait_for(self.admin.incremental_alter_configs([resource]))
        until("a changed setting", lambda: all(self.settings(topic).get(name) == value for name, _, value in changes))

    def delete_records(self, topic, partition, offset):
        wanted = TopicPartition(self.named(topic), partition, offset)
        return [found.low_watermark for found in wait_for(self.admin.delete_records([wanted]))]

    def settings(self, topic):
        """What was set for the topic itself."""
        (found,) = wait_for(self.admin.describe_configs([ConfigResource(ResourceType.TOPIC, self.named(topic))]))
        return {entry.name: entry.value for entry in found.values() if entry.source == 1}

    def wait_for_partitions(self, topic, count):
        """Kafka acknowledges partitions before the broker has them."""
        missing = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.NOT_LEADER_FOR_PARTITION)

        def there():
            name = self.named(topic)
            return all(frames.fetch(self.raw, name, partition, 0, 0)[0] not in missing for partition in range(count))

        until("the partitions of a topic", there)

    # MARK: producers

    def producer(self, writer):
        if writer.name not in self.producers:
            settings = {"linger.ms": 1000, "message.timeout.ms": 20_000, "compression.type": writer.codec}
            settings["batch.num.messages"] = writer.batch
            if writer.kind == "idempotent":
                settings.update({"enable.idempotence": True, "max.in.flight": 1})
            if writer.kind == "transactional":
                settings["transactional.id"] = self.named(writer.transaction)
            self.producers[writer.name] = Producer({**self.common, **settings})
        return self.producers[writer.name]

    def produce(self, writer, topic, partition, records):
        """For each record its offset or error."""
        producer, outcome = self.producer(writer), {}
        # It knows of a topic that changed.
        producer.list_topics(self.named(topic), timeout=LIMIT_S)
        for number, (key, value, headers, timestamp) in enumerate(records):

            def delivered(error, message, number=number):
                outcome[number] = error.name() if error else message.offset()

            producer.produce(
                self.named(topic), value, key, partition, on_delivery=delivered, timestamp=timestamp, headers=headers
            )
        producer.flush(LIMIT_S)
        return [outcome.get(number) for number in range(len(records))]

    def start(self, writer):
        self.producer(writer).init_transactions(LIMIT_S)
        self.settle(writer.transaction)

    def begin_transaction(self, writer):
        self.producer(writer).begin_transaction()

    def commit(self, writer):
        self.producer(writer).commit_transaction(LIMIT_S)
        self.settle(writer.transaction)

    def abort(self, writer):
        self.producer(writer).abort_transaction(LIMIT_S)
        self.settle(writer.transaction)

    def send_offsets(self, writer, group, topic, partition, offset):
        offsets = [TopicPartition(self.named(topic), partition, offset)]
        producer = self.producer(writer)
        producer.send_offsets_to_transaction(offsets, self.reader(group).consumer_group_metadata(), LIMIT_S)

    def settle(self, transaction):
        """A transaction's end is acknowledged before its markers are written."""
        name, what = self.named(transaction), f"markers of {transaction} in {self.name}"
        until(what, lambda: not frames.describe_transaction(self.raw, name)[1].startswith("Prepare"))

    # MARK: groups

    def reader(self, group):
        if group not in self.readers:
            settings = {"group.id": self.named(group), "auto.offset.reset": "earliest", "enable.auto.commit": False}
            self.readers[group] = Consumer({**self.common, **settings})
        return self.readers[group]

    def commit_offsets(self, group, topic, partition, offset, metadata):
        entry = TopicPartition(self.named(topic), partition, offset, *([] if metadata is None else [metadata]))
        wanted = ConsumerGroupTopicPartitions(self.named(group), [entry])
        (found,) = wait_for(self.admin.alter_consumer_group_offsets([wanted]))
        return [entry.error and entry.error.name() for entry in found.topic_partitions]

    def delete_group(self, group):
        wait_for(self.admin.delete_consumer_groups([self.named(group)]))

    def delete_offsets(self, group, topic, partition):
        return names(*frames.delete_offset(self.raw, self.named(group), self.named(topic), partition))

    def commit_as_stranger(self, group, topic, partition, generation, member):
        where = (self.named(topic), partition, 0, "")
        return names(frames.commit_offset(self.raw, self.named(group), generation, member, *where))

    # MARK: what no well-behaved client sends

    def raw_start(self, writer):
        """Tried again while an open transaction is being aborted, as clients do."""
        name, error = writer.transaction and self.named(writer.transaction), KafkaError.CONCURRENT_TRANSACTIONS
        while error == KafkaError.CONCURRENT_TRANSACTIONS:
            error, *identity = frames.init_producer(self.raw, name)
        if not error:
            self.identities[writer.name] = tuple(identity)
        return names(error)

    def identity(self, writer, age=0):
        """`age` epochs older than the one that was given; below 0 there is none, and Kafka does not look for it."""
        number, epoch = self.identities.get(writer.name, (1 << 40, 0))
        return number, max(epoch - age, 0)

    def raw_produce(self, writer, topic, partition, sequence, count, age, timestamp, transactional):
        data = frames.batch(
            [b"%d" % (sequence + number) for number in range(count)],
            timestamp, self.identity(writer, age), sequence, frames.TRANSACTIONAL if transactional else 0,
        )
        transaction = self.named(writer.transaction) if transactional else None
        error, *found = frames.produce(self.raw, transaction, self.named(topic), partition, data)
        return names(error) + found

    def raw_add_partition(self, writer, topic, partition, age):
        where = (self.identity(writer, age), self.named(topic), partition)
        return names(frames.add_partition(self.raw, self.named(writer.transaction), *where))

    def raw_offset(self, writer, group, topic, partition, offset, age):
        transaction, producer = self.named(writer.transaction), self.identity(writer, age)
        first = frames.add_offsets(self.raw, transaction, producer, self.named(group))
        where = (self.named(group), self.named(topic), partition, offset)
        return names(first, frames.transaction_offset(self.raw, transaction, producer, *where))

    def raw_end(self, writer, commits, age):
        error = frames.end_transaction(self.raw, self.named(writer.transaction), self.identity(writer, age), commits)
        self.settle(writer.transaction)
        return names(error)

    def raw_fetch(self, topic, partition, offset, isolation):
        error, *found = frames.fetch(self.raw, self.named(topic), partition, offset, isolation)
        return names(error) + found


def names(*errors):
    return [None if error is None else KafkaError(error).name() for error in errors]


def wait_for(futures):
    return [future.result(LIMIT_S) for future in futures.values()]


def until(what, condition):
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {LIMIT_S} s: {what}")
        time.sleep(0.002)
