"""The same random client traffic on Kafka and on `millrace broker`: all that clients see of both must be equal."""

import os
import subprocess
import unittest
from pathlib import Path

from harness import broker as brokers
from harness.case import FULL, KafkaCase, say
from harness.python import CONFLUENT, python_with

PROGRAM = Path(__file__).parent / "programs" / "differential"


class Differential(KafkaCase):
    @classmethod
    def setUpClass(cls):
        if brokers.embedded():
            raise unittest.SkipTest("it compares both brokers: it runs beside the tests on Kafka")
        super().setUpClass()

    def test_both_brokers_show_the_same(self):
        """Seeds 0 to 19, or the one that --seed names; a failure prints the shortest schedule that shows it."""
        python = python_with(CONFLUENT)
        if not python:
            self.skipTest(f"pip cannot install {CONFLUENT} here")
        embedded = brokers.EmbeddedNode()
        self.addCleanup(embedded.close)
        named = os.environ.get("MILLRACE_TEST_SEED")
        seeds = ["--seed", named] if named else ["--seeds", "200" if FULL else "20"]
        done = subprocess.run(
            [python, "-B", PROGRAM, self.broker.bootstrap, embedded.bootstrap, *seeds],
            capture_output=True, text=True, timeout=3000, stdin=subprocess.DEVNULL,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        say(done.stdout.strip().splitlines()[-1])
