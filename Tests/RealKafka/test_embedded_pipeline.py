"""`brokers: [embedded]`: a pipeline with its broker in one process, killed together, beside a producer that is not."""

import json

from harness import broker as brokers
from harness.case import KafkaCase, say
from harness.librdkafka import Observer, Producer
from harness.pipeline import kafka_pipeline
from harness.verify import values_by_partition

KILLS, RECORDS = 4, 40_000


class EmbeddedPipeline(KafkaCase):
    needs_broker = False

    def test_kills_of_both_lose_and_repeat_nothing(self):
        port = brokers.free_port()
        embedded, bootstrap = f"embedded:{port}", f"127.0.0.1:{port}"
        state = self.folder / "state"
        state.mkdir()
        file = self.pipeline(
            "doubled",
            kafka_pipeline(
                "doubled",
                embedded,
                "in",
                "out",
                schema="n BIGINT",
                query="SELECT n, n * 2 AS twice FROM input",
                state_dir=str(state),
            ),
        )
        program = self.start("run", file, log="first")
        self.assert_says(program, r"A broker inside this process")
        # An idempotent producer sends again what no answer came for.
        producer, sent = Producer(bootstrap), 0
        self.addCleanup(producer.close)
        watch = Observer(bootstrap, "doubled")
        self.addCleanup(watch.close)

        def committed():
            return (watch.committed("in", 1, 2) or [0])[0]

        for number in range(KILLS):
            share = RECORDS // (KILLS + 1)
            for value in range(sent, sent + share):
                producer.send("in", 0, b'{"n":%d}' % value)
            sent += share
            enough = sent - self.random.randrange(1, share)
            self.wait(f"{enough} records", lambda enough=enough: committed() >= enough, 30, alive=program)
            program.kill()
            program = self.start("run", file, log=f"after-{number}")
        for value in range(sent, RECORDS):
            producer.send("in", 0, b'{"n":%d}' % value)
        producer.flush()
        self.wait_for_lag_zero(watch, "in", 30, partitions=1, alive=program)
        found = [json.loads(value) for value in values_by_partition(bootstrap, "out")[0]]
        self.assertEqual([row["n"] for row in found], list(range(RECORDS)))
        self.assertTrue(all(row["twice"] == 2 * row["n"] for row in found))
        self.assertEqual(program.terminate(), 0, program.tail())
        self.assertTrue((state / "doubled-broker").is_dir())
        say(f"{RECORDS} records, {KILLS} kills of pipeline and broker: each record once, in order")

    def test_a_second_instance_is_told_to_use_a_broker(self):
        file = self.pipeline(
            "alone",
            kafka_pipeline("alone", "embedded", "in", "out", schema="n BIGINT", query="SELECT n FROM input",
                           state_dir=str(self.folder)),
        )  # fmt: skip
        first = self.start("run", file, log="first")
        self.assert_says(first, r"A broker inside this process")
        second = self.start("run", file, log="second")
        self.assertEqual(second.process.wait(20), 1, second.tail())
        self.assertRegex(second.text(), r"another server uses this folder.*'millrace broker', or Kafka")
        self.assertEqual(first.terminate(), 0, first.tail())
