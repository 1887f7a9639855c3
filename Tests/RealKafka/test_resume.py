"""Without any folder all progress is in Kafka: lag reaches zero past transaction markers, available-now ends, a
restart repeats nothing.
"""

from harness.case import KafkaCase, say
from harness.librdkafka import Producer
from harness.records import numbered
from harness.verify import count


class Resume(KafkaCase):
    def write_in_transactions(self, source, sent, transactions=40, size=500):
        """Committed transactions with aborted ones between them; the last thing in each partition is a marker."""
        producer = Producer(self.broker.bootstrap, transactional_id=f"writer-{self.stamp}")
        try:
            for turn in range(transactions):
                aborted = turn % 4 == 1
                producer.begin()
                for index in range(size):
                    partition = index % 4
                    producer.send(source, partition, numbered(partition, 1_000_000_000 if aborted else sent[partition]))
                    sent[partition] += not aborted
                producer.abort() if aborted else producer.commit()
        finally:
            producer.close()

    def assert_lag_zero_by_kafka(self, name, source):
        """What an operator sees: kafka-consumer-groups shows no lag for any partition."""
        table = self.kafka("consumer-groups", "--describe", "--group", name)
        lines = [line.split() for line in table.splitlines() if f" {source} " in line]
        self.assertEqual(len(lines), 4, table)
        self.assertEqual([words[5] for words in lines], ["0"] * 4, table)
        say("kafka-consumer-groups: lag 0 in all 4 partitions")

    def test_available_now_ends_at_markers(self):
        source, sink, name = self.topic("tx-in"), self.topic("tx-out"), f"resume-{self.stamp}"
        sent = [0] * 4
        file = self.numbers_pipeline(name, source, sink, trigger="available-now", state_dir=None)
        for run in range(3):
            if run < 2:
                self.write_in_transactions(source, sent)
            program = self.start("run", file)
            self.assertEqual(program.wait(60), 0, program.tail())
            self.assert_lag_zero_by_kafka(name, source)
            self.assertEqual(count(self.broker.bootstrap, sink), sum(sent), f"output after run {run + 1}")
        self.assert_exactly_once(sink, sent)

    def test_restart_without_a_folder(self):
        source, sink, name = self.topic("tx-in"), self.topic("tx-out"), f"resume-{self.stamp}"
        sent, watch = [0] * 4, self.observer(name)
        self.write_in_transactions(source, sent, transactions=80)
        file = self.numbers_pipeline(
            name, source, sink, state_dir=None, source_options={"max-offsets-per-trigger": 300}
        )
        program = self.start("run", file)
        for _ in range(2):
            before = sum(watch.committed(source, 4) or [0])
            self.wait("a commit", lambda: sum(watch.committed(source, 4) or [0]) > before, 60, alive=program)
            program.kill()
            program = self.start("run", file)
        self.wait_for_lag_zero(watch, source, 90, alive=program)
        self.assert_lag_zero_by_kafka(name, source)
        self.write_in_transactions(source, sent, transactions=5)
        self.wait_for_lag_zero(watch, source, 60, alive=program)
        self.assertEqual(program.terminate(), 0, program.tail())
        self.assert_exactly_once(sink, sent)
