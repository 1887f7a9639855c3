"""Memory stays within the budget while a topic of more than 2 GB (small records, and some of 1 MB) is read for a
slow sink.
"""

import os
import time

from harness.case import KafkaCase, say
from harness.librdkafka import Producer
from harness.pipeline import kafka_pipeline

MB = 1024 * 1024
SMALL, LARGE, TOTAL = 1000, 1_000_000 - 200, 2_100 * 1_000_000
SLOW_S = 20
READ_LIMIT_S = 240


class Memory(KafkaCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = None

    def fill(self):
        """One input for both tests: 1.5 GB of small records and 0.6 GB of 1 MB ones among them."""
        if self.source is None:
            type(self).source = self.topic("large", max_message_bytes=2_000_000)
            producer = Producer(
                self.broker.bootstrap, queue_buffering_max_kbytes=200_000, batch_size=1_000_000, linger_ms=20
            )
            small, large, written, number = os.urandom(SMALL), os.urandom(LARGE), 0, 0
            while written < TOTAL:
                value = large if number % 2500 == 0 else small
                producer.send(self.source, number % 4, value)
                written, number = written + len(value), number + 1
            producer.flush()
            producer.close()
            say(f"{number:,} records, {written / 1e9:.2f} GB")

    def assert_within(self, name, budget, **options):
        self.needs_quotas()
        self.fill()
        query, sink = f"{name}-{self.stamp}", self.topic(
            "large-out", max_message_bytes=2_000_000, retention_bytes=200_000_000, segment_bytes=50_000_000
        )
        text = kafka_pipeline(
            query,
            self.broker.bootstrap,
            self.source,
            sink,
            format="raw",
            query="SELECT key, value FROM input",
            state_dir=str(self.folder / "state"),
            **options,
        )
        self.throttle("--add-config", "producer_byte_rate=4000000")
        self.addCleanup(self.throttle, "--delete-config", "producer_byte_rate")
        program, watch = self.start("run", self.pipeline(query, text)), self.observer(query)
        self.wait("the first commit", lambda: sum(watch.committed(self.source, 4) or [0]) > 0, 90, alive=program)
        samples, until = [], time.monotonic() + SLOW_S
        while time.monotonic() < until:
            self.assertTrue(program.alive, program.tail())
            samples.append(program.memory_bytes()[0])
            time.sleep(0.2)
        slow = max(samples)
        self.throttle("--delete-config", "producer_byte_rate")
        began = time.monotonic()
        self.wait_for_lag_zero(watch, self.source, READ_LIMIT_S, alive=program)
        highest = program.memory_bytes()[1]
        say(
            f"{name}: {slow / MB:.0f} MB with a slow sink, {highest / MB:.0f} MB at most, "
            f"budget {budget} MB; read in {time.monotonic() - began:.0f} s"
        )
        self.assertEqual(program.terminate(), 0, program.tail())
        self.assertLessEqual(highest, budget * MB * 1.1)

    def throttle(self, *change):
        """The broker's own brake: it answers late to everybody who produces more than that."""
        try:
            self.kafka("configs", "--alter", "--entity-type", "clients", "--entity-default", *change)
        except AssertionError:
            if "--add-config" in change:
                raise  # taking it away twice is no failure

    def test_default_budget(self):
        self.assert_within("default", 256)

    def test_budget_of_128_mb(self):
        self.assert_within("small", 128, memory="128MB")
