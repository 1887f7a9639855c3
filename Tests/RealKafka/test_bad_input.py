"""Bad input: 1 % of each kind of garbage through every error policy; the counts add up and nothing else is lost."""

import json

from harness.case import KafkaCase, say
from harness.librdkafka import Producer
from harness.pipeline import kafka_pipeline
from harness.verify import count, kcat_lines, rows

RECORDS = 20_000
SCHEMA = "id BIGINT, name STRING, amount DOUBLE, item STRUCT<sku: STRING, qty: INT>"
QUERY = "SELECT id, name FROM input"
GARBAGE = {
    "wrong type": lambda n: b'{"id":"number %d","name":"n"}' % n,
    "invalid UTF-8": lambda n: b'{"id":%d,"name":"\xff\xfe\xc3("}' % n,
    "truncated": lambda n: b'{"id":%d,"name":"cut' % n,
    "truncated in an unread field": lambda n: b'{"id":%d,"name":"n","amount":12.5,"item":{"sku":"a-1","q' % n,
    "truncated in an unknown field": lambda n: b'{"id":%d,"name":"n","note":"never clo' % n,
    "not an object": lambda n: (b"[%d]", b"%d", b'"%d"')[n % 3] % n,
    "too deep": lambda n: b'{"id":%d,"name":"n","deep":' % n + b"[" * 3000 + b"]" * 3000 + b"}",
}
HEADERS = {
    f"millrace.{name}"
    for name in ("error.code", "error.message", "source.topic", "source.partition", "source.offset", "query", "epoch")
}


class BadInput(KafkaCase):
    def setUp(self):
        super().setUp()
        self.source, self.sink, self.dead = self.topic("events"), self.topic("good"), self.topic("dlq", partitions=1)

    # MARK: input

    def fill(self):
        """One record in a hundred of each kind, at random places. Returns {kind or None: {(partition, offset):
        value}}.
        """
        kinds = [kind for kind in GARBAGE for _ in range(RECORDS // 100)]
        kinds += [None] * (RECORDS - len(kinds))
        self.random.shuffle(kinds)
        sent, next_offset = {kind: {} for kind in [None, *GARBAGE]}, [0] * 4
        producer = Producer(self.broker.bootstrap)
        for number, kind in enumerate(kinds):
            value = (
                GARBAGE[kind](number)
                if kind
                else json.dumps({"id": number, "name": f"näme {number}", "amount": number / 4}).encode()
            )
            partition = number % 4
            producer.send(self.source, partition, value, key=b"key-%d" % number)
            sent[kind][partition, next_offset[partition]] = value
            next_offset[partition] += 1
        producer.flush()
        producer.close()
        return sent

    def run_query(self, name, errors, expect=0, **options):
        file = self.pipeline(
            name,
            kafka_pipeline(
                name,
                self.broker.bootstrap,
                self.source,
                self.sink,
                schema=SCHEMA,
                query=options.pop("query", QUERY),
                trigger="available-now",
                errors=errors,
                state_dir=str(self.folder / "state"),
                **options,
            ),
        )
        program = self.start("run", file)
        self.assertEqual(program.wait(120), expect, program.tail())
        self.assert_no_crash(program)
        return program

    def good_ids(self):
        ids = sorted(
            json.loads(line)["id"] for line in kcat_lines(self.broker.bootstrap, self.sink, "%s\n").splitlines()
        )
        self.assertEqual(len(ids), len(set(ids)), "an output record came twice")
        return ids

    def expected_ids(self, sent):
        return sorted(json.loads(value)["id"] for value in sent[None].values())

    # MARK: tests

    def test_skip(self):
        sent = self.fill()
        self.run_query(f"skip-{self.stamp}", {"policy": "skip"})
        self.assertEqual(self.good_ids(), self.expected_ids(sent))
        say(f"{RECORDS} read = {len(sent[None])} written + {RECORDS - len(sent[None])} skipped")

    def test_dead_letter(self):
        sent, name = self.fill(), f"dlq-{self.stamp}"
        self.run_query(name, {"policy": "dead-letter", "topic": self.dead})
        self.assertEqual(self.good_ids(), self.expected_ids(sent))
        letters = {}
        for row in rows(self.broker.bootstrap, self.dead):
            self.assertLessEqual(HEADERS, set(row.headers), row)
            self.assertEqual((row.headers["millrace.source.topic"], row.headers["millrace.query"]), (self.source, name))
            self.assertTrue(row.headers["millrace.error.code"] and row.headers["millrace.error.message"], row.headers)
            self.assertRegex(row.headers["millrace.epoch"], r"^\d+$")
            place = int(row.headers["millrace.source.partition"]), int(row.headers["millrace.source.offset"])
            self.assertNotIn(place, letters, "a dead letter came twice")
            letters[place] = row
        for kind in GARBAGE:
            for place, value in sent[kind].items():
                self.assertIn(place, letters, f"{kind}: no dead letter for {value[:80]!r}")
                self.assertEqual(letters[place].value, value, kind)
                self.assertRegex(letters[place].key or b"", rb"^key-\d+$", kind)
        bad = RECORDS - len(sent[None])
        self.assertEqual(len(letters), bad)
        say(
            f"{RECORDS} read = {len(sent[None])} written + {bad} dead letters, "
            "each with its bytes, key, cause and position"
        )
        for kind in GARBAGE:
            place = next(iter(sent[kind]))
            say(
                f"{kind}: {letters[place].headers['millrace.error.code']}: "
                f"{letters[place].headers['millrace.error.message']}"
            )

    def test_fail_then_go_on(self):
        """`fail` stops at the record and names it; nothing past it is committed; with another policy the query
        goes on from there.
        """
        sent, name = self.fill(), f"fail-{self.stamp}"
        program = self.run_query(name, {"policy": "fail"}, expect=1)
        self.assert_says(program, self.source, r"partition|\[\d\]", r"offset|@\d+", alive=False, seconds=1)
        self.assertLess(len(self.good_ids()), len(sent[None]))
        self.run_query(name, {"policy": "dead-letter", "topic": self.dead})
        self.assertEqual(self.good_ids(), self.expected_ids(sent))
        self.assertEqual(count(self.broker.bootstrap, self.dead), RECORDS - len(sent[None]))

    def test_ceiling_stops_the_query(self):
        self.fill()
        program = self.run_query(
            f"ceiling-{self.stamp}", {"policy": "dead-letter", "topic": self.dead, "ceiling": 100}, expect=1
        )
        self.assert_says(program, "ceiling", "100", alive=False, seconds=1)
        letters = count(self.broker.bootstrap, self.dead)
        self.assertLess(letters, RECORDS // 100 * len(GARBAGE), "the ceiling let everything through")

    def test_record_over_the_clients_limit(self):
        """An output of 1.4 MB is over message.max.bytes: it goes to the policy, the others are written."""
        self.assert_large_record_is_dead(b"x" * 700_000, "SELECT id, concat(name, name) AS name FROM input")

    def test_record_over_the_topics_limit(self):
        """The broker refuses one record of a batch: it is found and goes to the policy, the others are written."""
        self.sink = self.topic("narrow", max_message_bytes=50_000)
        self.assert_large_record_is_dead(b"x" * 60_000, QUERY, sink_options={"options": {"batch.size": 10_000}})

    def assert_large_record_is_dead(self, name_bytes, query, **options):
        producer = Producer(self.broker.bootstrap)
        large = b'{"id":500,"name":"' + name_bytes + b'"}'
        for number in range(1000):
            producer.send(self.source, 0, large if number == 500 else b'{"id":%d,"name":"n"}' % number, key=b"k")
        producer.flush()
        producer.close()
        self.run_query(f"large-{self.stamp}", {"policy": "dead-letter", "topic": self.dead}, query=query, **options)
        self.assertEqual(self.good_ids(), [n for n in range(1000) if n != 500])
        letters = rows(self.broker.bootstrap, self.dead)
        self.assertEqual([row.value for row in letters], [large])
        self.assertEqual(letters[0].headers["millrace.source.offset"], "500")
        self.assertRegex(letters[0].headers["millrace.error.message"], r"(?i)large|size|bytes|limit")
