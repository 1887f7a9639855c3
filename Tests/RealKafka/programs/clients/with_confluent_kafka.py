"""confluent-kafka at work on the broker of argv[1]: topics, transactions, a group, offsets in a transaction."""

import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

bootstrap, topic, group = sys.argv[1], "confluent", "confluent-group"
common = {"bootstrap.servers": bootstrap}


def reader(isolation="read_committed"):
    settings = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    return Consumer({**common, **settings, "isolation.level": isolation})


def read(consumer, count):
    found = []
    while len(found) < count:
        message = consumer.poll(20)
        assert message is not None, f"only {len(found)} of {count} records came"
        assert message.error() is None, message.error()
        found.append(message)
    return found


admin = AdminClient(common)
settings = {"max.message.bytes": "2000000"}
for future in admin.create_topics([NewTopic(topic, 2, 1, config=settings), NewTopic("copies", 1, 1)]).values():
    future.result()
resource = ConfigResource(ResourceType.TOPIC, topic)
config = admin.describe_configs([resource])[resource].result()
assert config["max.message.bytes"].value == "2000000", config["max.message.bytes"]

producer = Producer({**common, "transactional.id": "confluent-tx", "compression.type": "lz4"})
producer.init_transactions(20)
for number in range(10):
    producer.begin_transaction()
    for partition in range(2):
        producer.produce(topic, f"{number}", key="k", partition=partition, headers={"n": b"1"})
    producer.abort_transaction(20) if number % 2 else producer.commit_transaction(20)

consumer = reader()
consumer.subscribe([topic])
found = read(consumer, 10)
assert sorted(int(message.value()) for message in found) == [0, 0, 2, 2, 4, 4, 6, 6, 8, 8]
assert found[0].headers() == [("n", b"1")], found[0].headers()
producer.begin_transaction()
for message in found:
    producer.produce("copies", message.value())
ends = consumer.position([TopicPartition(topic, partition) for partition in range(2)])
producer.send_offsets_to_transaction(ends, consumer.consumer_group_metadata(), 20)
producer.commit_transaction(20)
committed = consumer.committed(ends, 20)
assert [entry.offset for entry in committed] == [entry.offset for entry in ends], (committed, ends)
consumer.close()

# A second producer of the same name: the first is fenced.
heir = Producer({**common, "transactional.id": "confluent-tx"})
heir.init_transactions(20)
try:
    producer.begin_transaction()
    producer.produce(topic, "zombie", partition=0)
    producer.commit_transaction(20)
    raise SystemExit("a producer that was fenced could commit")
except KafkaException as error:
    assert error.args[0].fatal(), error

described = admin.describe_consumer_groups([group])[group].result()
assert described.state.name == "EMPTY", described.state
for future in admin.delete_consumer_groups([group]).values():
    future.result()
for future in admin.delete_topics([topic, "copies"]).values():
    future.result()
print("done")
