"""Everything that a client sees of some topics, groups and transactions, as plain data to compare.

Left out, because two brokers may differ in it: ids (cluster, topic, producer, member), leader epochs, and the time
itself where the broker stamps it.
"""

import frames
from cluster import LIMIT_S, names, wait_for
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, ConsumerGroupTopicPartitions, IsolationLevel
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

ISOLATIONS = {"read_uncommitted": IsolationLevel.READ_UNCOMMITTED, "read_committed": IsolationLevel.READ_COMMITTED}


class View:
    def __init__(self, cluster):
        self.cluster = cluster
        fast = {"fetch.wait.max.ms": 5, "enable.partition.eof": True, "enable.auto.commit": False}
        self.consumers = {
            level: Consumer({**cluster.common, **fast, "group.id": "view", "isolation.level": level})
            for level in ISOLATIONS
        }

    def close(self):
        for consumer in self.consumers.values():
            consumer.close()

    def take(self, topics, groups, transactions, times):
        """{what: value}; `topics` are those that ought to be there, with how many partitions."""
        found = dict(self.metadata())
        there = [(topic, partition) for topic, count in topics.items() for partition in range(count)]
        for topic in topics:
            found[f"settings of {topic}"] = self.cluster.settings(topic)
        for level in ISOLATIONS:
            self.offsets(there, level, times, found)
            self.records(there, level, found)
        for topic, partition in there:
            name = self.cluster.named(topic)
            found[f"producers of {topic}/{partition}"] = frames.describe_producers(self.cluster.raw, name, partition)
        for group in groups:
            self.group(group, found)
        for transaction in transactions:
            found[f"transaction {transaction}"] = self.transaction(transaction)
        return found

    def metadata(self):
        prefix = self.cluster.prefix
        for name, topic in self.cluster.admin.list_topics(timeout=LIMIT_S).topics.items():
            if name.startswith(prefix):
                yield f"partitions of {name[len(prefix):]}", len(topic.partitions)

    def records(self, there, level, found):
        """Read from the first to the end by librdkafka."""
        consumer, left = self.consumers[level], len(there)
        if not left:
            return
        consumer.list_topics(timeout=LIMIT_S)  # or it would learn of new topics a second later
        places = []
        for topic, partition in there:
            found[f"{level} records of {topic}/{partition}"] = []
            start, _ = found[f"{level} offset of {topic}/{partition} at earliest"]
            places.append(TopicPartition(self.cluster.named(topic), partition, start))
        consumer.assign(places)
        while left:
            message = consumer.poll(LIMIT_S)
            if message is None:
                found[f"{level} records"] = f"no end within {LIMIT_S} s"
                break
            if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
                left -= 1
                continue
            if message.error():
                raise KafkaException(message.error())
            place = f"{message.topic()[len(self.cluster.prefix):]}/{message.partition()}"
            found[f"{level} records of {place}"].append(record(message))
        consumer.unassign()

    def offsets(self, there, level, times, found):
        asked = {"earliest": OffsetSpec.earliest(), "latest": OffsetSpec.latest(), "max": OffsetSpec.max_timestamp()}
        asked.update({f"time {time}": OffsetSpec.for_timestamp(time) for time in times})
        places = {TopicPartition(self.cluster.named(place[0]), place[1]): place for place in there}
        waiting = {
            what: self.cluster.admin.list_offsets({place: spec for place in places}, isolation_level=ISOLATIONS[level])
            for what, spec in asked.items()
        }
        for what, futures in waiting.items():
            for place, future in futures.items():
                topic, partition = places[place]
                answer, settings = future.result(LIMIT_S), found[f"settings of {topic}"]
                offset, stamp = answer.offset, answer.timestamp
                if what not in ("earliest", "latest"):
                    start, _ = found[f"{level} offset of {topic}/{partition} at earliest"]
                    offset, stamp = self.by_time(topic, partition, start, offset, stamp, settings)
                found[f"{level} offset of {topic}/{partition} at {what}"] = offset, stamp

    def by_time(self, topic, partition, start, offset, stamp, settings):
        """Of a compressed batch `millrace broker`, which does not open it, names the first record. The record with the
        greatest time of all may be one in front of the log's start for Kafka.
        """
        offset = max(offset, start) if offset >= 0 else offset
        is_recoded = settings.get("compression.type", "producer") != "producer"
        for first, last, attributes in frames.batches(self.cluster.raw, self.cluster.named(topic), partition, start):
            if first <= offset <= last:
                if attributes & frames.COMPRESSION or is_recoded:
                    return ("batch until", last), None
                is_stamped = attributes & (frames.LOG_APPEND_TIME | frames.CONTROL)
                return offset, None if is_stamped else stamp
        return offset, stamp

    def group(self, group, found):
        cluster, name = self.cluster, self.cluster.named(group)
        (offsets,) = attempt(cluster.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(name)]))
        if not isinstance(offsets, str):
            offsets = sorted(
                (entry.topic[len(cluster.prefix) :], entry.partition, entry.offset, entry.metadata)
                for entry in offsets.topic_partitions
            )
        found[f"offsets of {group}"] = offsets
        (described,) = attempt(cluster.admin.describe_consumer_groups([name]))
        if not isinstance(described, str):
            described = described.state.name, described.partition_assignor, len(described.members)
        found[f"group {group}"] = described

    def transaction(self, transaction):
        error, state, timeout, epoch, topics = frames.describe_transaction(
            self.cluster.raw, self.cluster.named(transaction)
        )
        # Kafka counts the partition of its own topic where a group's offsets are kept.
        topics = [entry for entry in topics if entry[0].startswith(self.cluster.prefix)]
        cut = len(self.cluster.prefix)
        return names(error), state, timeout, epoch, [(topic[cut:], partitions) for topic, partitions in topics]


def record(message):
    kind, stamp = message.timestamp()
    stamp = None if kind == TIMESTAMP_LOG_APPEND_TIME else stamp
    return message.offset(), message.key(), message.value(), message.headers(), kind, stamp


def attempt(futures):
    try:
        return wait_for(futures)
    except KafkaException as error:
        return [error.args[0].name()]
