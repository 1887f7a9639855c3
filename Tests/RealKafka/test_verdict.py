"""The judge is judged: it must see what is lost, repeated, out of order or made up, and readers must not see
aborted records.
"""

import unittest

from harness.case import KafkaCase
from harness.librdkafka import Producer
from harness.verify import console_values, judge, parse_headers, rows, values_by_partition


class Judge(unittest.TestCase):
    def counts(self, items, sent=(4, 2)):
        verdict = judge({0: items}, list(sent))
        return verdict.lost, verdict.duplicated, verdict.reordered, verdict.foreign

    def test_sees_every_fault(self):
        good = [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1), (0, 3)]
        self.assertEqual(self.counts(good), (0, 0, 0, 0))
        self.assertEqual(self.counts(good[1:]), (1, 0, 0, 0))
        self.assertEqual(self.counts(good[:-1]), (1, 0, 0, 0))
        self.assertEqual(self.counts(good + [(0, 1)]), (0, 1, 0, 0))
        self.assertEqual(self.counts([(0, 1), (0, 0), *good[3:], (1, 0)]), (0, 0, 2, 0))
        self.assertEqual(self.counts(good + [(0, 4), (2, 0)]), (0, 0, 0, 2))
        self.assertEqual(self.counts([]), (6, 0, 0, 0))

    def test_sees_a_repetition_in_another_partition(self):
        verdict = judge({0: [(0, 0), (0, 1)], 3: [(0, 1)]}, [2])
        self.assertEqual((verdict.duplicated, verdict.clean), (1, False))

    def test_headers_with_commas(self):
        self.assertEqual(
            parse_headers("millrace.error.message=a, b=c,millrace.query=q"),
            {"millrace.error.message": "a, b=c", "millrace.query": "q"},
        )


class Readers(KafkaCase):
    def test_aborted_records_are_hidden_from_both_readers(self):
        topic, producer = self.topic("aborted", partitions=1), None
        try:
            producer = Producer(self.broker.bootstrap, transactional_id=topic)
            for value, end in ((b"one", producer.commit), (b"aborted", producer.abort), (b"two", producer.commit)):
                producer.begin()
                producer.send(topic, 0, value, key=b"k")
                end()
        finally:
            if producer:
                producer.close()
        bootstrap = self.broker.bootstrap
        self.assertEqual(values_by_partition(bootstrap, topic), {0: [b"one", b"two"]})
        self.assertEqual(values_by_partition(bootstrap, topic, committed=False), {0: [b"one", b"aborted", b"two"]})
        self.assertEqual(
            [(row.offset, row.key, row.value) for row in rows(bootstrap, topic)], [(0, b"k", b"one"), (4, b"k", b"two")]
        )
        java = console_values(bootstrap, topic, 2)
        if java is not None:
            self.assertEqual(java, {0: [b"one", b"two"]})
