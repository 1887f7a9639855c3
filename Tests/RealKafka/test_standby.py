"""Two instances of an owned query (a file source): the standby takes over after SIGKILL of the owner, and
nothing is written twice.
"""

import time

from harness.case import KafkaCase, say
from harness.pipeline import NUMBERS, write
from harness.records import numbered

LINES = 1_500_000
QUOTA = ("configs", "--alter", "--entity-type", "clients", "--entity-default")


class Standby(KafkaCase):
    def test_file_source_changes_its_owner(self):
        self.needs_quotas()
        sink, name = self.topic("file-out"), f"owned-{self.stamp}"
        data = self.folder / "numbers.jsonl"
        with open(data, "wb") as file:
            for number in range(LINES):
                file.write(numbered(0, number) + b"\n")
        text = write(
            {
                "name": name,
                "trigger": "asap",
                "state-dir": str(self.folder / "state"),
                "latency-target": "20ms",
                "sources": {"input": {"file": {"path": str(data)}, "format": "json", "schema": NUMBERS}},
                "query": "SELECT p, p AS src, n FROM input",
                "sinks": {
                    "out": {
                        "kafka": {"brokers": [self.broker.bootstrap], "topic": sink, "partition": "p"},
                        "format": "json",
                    }
                },
            }
        )
        file, watch = self.pipeline(name, text), self.observer(name)
        # The broker's brake: unhindered, the file is through before anybody can be killed.
        self.kafka(*QUOTA, "--add-config", "producer_byte_rate=12000000")
        self.addCleanup(self.kafka, *QUOTA, "--delete-config", "producer_byte_rate")
        owner = self.start("run", file, log="owner")
        written = lambda: sum(watch.ends(sink, 4, stable=True) or [0])
        self.wait("the owner's first output", lambda: written() > 0, 30, alive=owner, every=0.01)
        handovers = 0
        while owner.alive and written() < LINES * 0.6 and handovers < 3:
            standby = self.start("run", file, log=f"standby-{handovers}")
            time.sleep(self.random.uniform(0.2, 0.5))
            owner.kill()
            before, began = written(), time.monotonic()
            # Offsets count what was aborted, too: they tell that it writes, and only its end that it is through.
            self.wait("the standby's first output", lambda: written() > before or not standby.alive, 45, every=0.01)
            say(
                f"the standby wrote {time.monotonic() - began:.1f} s after the owner was killed, "
                f"at {before:,} of {LINES:,}"
            )
            owner, handovers = standby, handovers + 1
        self.assertGreater(handovers, 0, "the file was read before the owner could be killed")
        self.wait("the end of the file", lambda: not owner.alive, 180, every=0.1)
        self.assertEqual(owner.process.returncode, 0, owner.tail())
        self.assert_exactly_once(sink, [LINES])
