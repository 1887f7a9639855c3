"""Trouble with the configuration and with brokers: a clear message, no crash, little work while waiting, and on
again by itself.
"""

import re
import time

from harness import broker as brokers
from harness.case import NO_BROKER, KafkaCase, say
from harness.librdkafka import Producer
from harness.pipeline import kafka_pipeline
from harness.records import numbered

AWAY_S = 60
FIVE_MISTAKES = """\
name: five mistakes
guarantee: exactly-twice
trigger: asap
sources:
  orders:
    kafka: { brokers: ["localhost:9092"], topics: [orders], start: sometime }
    format: json
    schema: "id BIGINT, customer STRING"
query: |
  SELECT id, custommer FROM orders
sinks:
  out: { kafka: { topik: valid-orders }, format: json }
"""
MISTAKES = {1: "name", 2: "exactly-twice|guarantee", 6: "sometime|start", 10: "custommer", 12: "topik"}


class Configuration(KafkaCase):
    needs_broker = False

    def test_five_mistakes(self):
        """`lint` and `run` print all five, each with file, line and column, and end with 2."""
        file = self.pipeline("five", FIVE_MISTAKES)
        for verb in ("lint", "run"):
            program = self.start(verb, file, log=verb)
            self.assertEqual(program.wait(20), 2, program.tail())
            text = program.text()
            for line, pattern in MISTAKES.items():
                self.assertRegex(
                    text,
                    rf"(?im)^\S*five\.yaml:{line}:\d+: .*({pattern})",
                    f"{verb}: no located message for line {line}:\n{text}",
                )
            self.assertRegex(text, r"did you mean '?topic'?", verb)
            self.assertRegex(text, r"(?i)did you mean .?customer", verb)

    def test_exit_codes(self):
        for words in (["run"], ["run", self.folder / "absent.yaml"], ["no-such-verb"], ["run", "--no-such-option"]):
            program = self.start(*words)
            self.assertEqual(program.wait(20), 2, f"{words}: {program.tail()}")
        program = self.start("version")
        self.assertEqual(program.wait(20), 0)
        self.assertRegex(program.text(), r"(?is)millrace.*librdkafka.*\d+\.\d+\.\d+")


class Trouble(KafkaCase):
    def fill(self, source, start=0, each=500, bootstrap=None):
        producer = Producer(bootstrap or self.broker.bootstrap)
        for number in range(start, start + each):
            for partition in range(4):
                producer.send(source, partition, numbered(partition, number))
        producer.flush()
        producer.close()
        return [start + each] * 4

    def finish(self, program, watch, source, sink, sent, seconds=60):
        self.wait_for_lag_zero(watch, source, seconds, alive=program)
        self.assertEqual(program.terminate(), 0, program.tail())
        self.assert_exactly_once(sink, sent, java=False)

    def test_missing_broker(self):
        program = self.start("run", self.numbers_pipeline("nobody", "in", "out", bootstrap="127.0.0.1:19999"))
        self.assert_says(program, r"127\.0\.0\.1:19999")
        self.assertEqual(program.terminate(), 0, program.tail())

    def test_missing_topic(self):
        """The topic is named; when it appears, the query goes on."""
        source, sink, name = f"absent-{self.stamp}", self.topic("out"), f"missing-{self.stamp}"
        program = self.start("run", self.numbers_pipeline(name, source, sink))
        self.assert_says(program, source)
        self.assert_quiet(program)
        self.create(source)
        sent = self.fill(source)
        self.finish(program, self.observer(name), source, sink, sent, 90)

    def test_missing_output_topic(self):
        source, sink, name = self.topic("in"), f"absent-{self.stamp}", f"missing-{self.stamp}"
        sent = self.fill(source)
        program = self.start("run", self.numbers_pipeline(name, source, sink, create_topics=False))
        self.assert_says(program, sink)
        self.create(sink)
        self.finish(program, self.observer(name), source, sink, sent, 90)

    def test_topic_refuses_writes(self):
        """min.insync.replicas 3 with a node down: every write is refused until the node is back."""
        if brokers.embedded():
            self.skipTest("millrace broker is one node: nothing is replicated")
        if not brokers.available() or not brokers.has_nodes():
            self.skipTest(NO_BROKER)
        own = brokers.start(nodes=3)
        self.addCleanup(own.close)
        source = self.topic("in", broker=own, replication=3)
        sink = self.topic("out", broker=own, replication=3, min_insync_replicas=3)
        sent = self.fill(source, bootstrap=own.bootstrap)
        own.kill(node=2)
        name = f"refused-{self.stamp}"
        program = self.start("run", self.numbers_pipeline(name, source, sink, bootstrap=own.bootstrap))
        self.assert_says(program, sink, r"replica|refuse", seconds=90)
        self.assert_quiet(program)
        own.restart()
        self.broker, shared = own, self.broker
        self.addCleanup(setattr, self, "broker", shared)
        self.finish(program, self.observer(name), source, sink, sent, 120)

    def test_unreachable_coordinator(self):
        """A broker that cannot make its offsets and transaction topics has no coordinator, until somebody makes
        them.
        """
        if not brokers.available():
            self.skipTest(NO_BROKER)
        own = brokers.start(
            settings=["offsets.topic.replication.factor=3", "transaction.state.log.replication.factor=3"]
        )
        self.addCleanup(own.close)
        source, sink = self.topic("in", broker=own), self.topic("out", broker=own)
        sent = self.fill(source, bootstrap=own.bootstrap)
        name = f"coordinator-{self.stamp}"
        program = self.start("run", self.numbers_pipeline(name, source, sink, bootstrap=own.bootstrap))
        self.assert_says(program, "coordinator", seconds=60)
        self.assert_quiet(program)
        for topic in ("__consumer_offsets", "__transaction_state"):
            self.create(topic, partitions=4, broker=own, cleanup_policy="compact")
        self.broker, shared = own, self.broker
        self.addCleanup(setattr, self, "broker", shared)
        self.finish(program, self.observer(name), source, sink, sent, 120)

    def assert_quiet(self, program, seconds=10):
        """While nothing can be done: at most a line a second (and a few at first), and still alive."""
        before = program.text().count("\n")
        time.sleep(seconds)
        lines = program.text().count("\n") - before
        self.assertTrue(program.alive, program.tail())
        self.assertLessEqual(lines, seconds + 1, program.tail())


class BrokerAway(KafkaCase):
    controls_broker = True

    def test_broker_away_for_a_minute(self):
        """Under 2 % of a core and at most one line a second, for all the time; then on by itself."""
        source, sink, name = self.topic("in"), self.topic("out"), f"away-{self.stamp}"
        fill, watch = Trouble.fill, self.observer(name)
        fill(self, source)
        program = self.start("run", self.numbers_pipeline(name, source, sink))
        self.wait_for_lag_zero(watch, source, 60, alive=program)
        self.broker.kill()
        try:
            time.sleep(3)  # the moment of the loss itself is not what is measured
            cpu, lines = program.cpu_seconds(), program.text().count("\n")
            time.sleep(AWAY_S)
            self.assertTrue(program.alive, program.tail())
            used, said = program.cpu_seconds() - cpu, program.text().count("\n") - lines
        finally:
            self.broker.restart()
        say(f"{AWAY_S} s without a broker: {used / AWAY_S * 100:.2f} % of a core, {said} log lines")
        self.assertLess(used / AWAY_S, 0.02)
        self.assertLessEqual(said, AWAY_S, program.tail())
        self.assertGreater(len(re.findall(r"127\.0\.0\.1", program.text())), 0, "no message names the broker")
        sent = fill(self, source, start=500)
        Trouble.finish(self, program, watch, source, sink, sent, 90)
