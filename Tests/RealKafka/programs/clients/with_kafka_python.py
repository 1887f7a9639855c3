"""kafka-python, a client with a protocol of its own, at work on the broker of argv[1]: topics, records, a group."""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

bootstrap, topic, group = sys.argv[1], "kafka-python", "kafka-python-group"

admin = KafkaAdminClient(bootstrap_servers=bootstrap)
admin.create_topics([NewTopic(name=topic, num_partitions=3, replication_factor=1)])
producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5, compression_type="gzip")
sent = [producer.send(topic, str(number).encode(), key=b"k", partition=number % 3) for number in range(3000)]
places = [future.get(20) for future in sent]
assert sorted(place.offset for place in places) == sorted(offset for offset in range(1000) for _ in range(3))
producer.close()

options = {"bootstrap_servers": bootstrap, "group_id": group, "auto_offset_reset": "earliest"}
consumer = KafkaConsumer(topic, enable_auto_commit=False, consumer_timeout_ms=20_000, **options)
found = []
for message in consumer:
    found.append(int(message.value))
    if len(found) == 3000:
        break
assert sorted(found) == list(range(3000)), len(found)
consumer.commit()
partitions = [TopicPartition(topic, partition) for partition in range(3)]
assert [consumer.committed(partition) for partition in partitions] == [1000] * 3
assert consumer.end_offsets(partitions) == {partition: 1000 for partition in partitions}
consumer.close()

again = KafkaConsumer(topic, consumer_timeout_ms=1_500, **options)
assert list(again) == []
again.close()
admin.delete_topics([topic])
admin.close()
print("done")
