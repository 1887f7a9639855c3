"""The base of every process test: a broker, topics, programs that always end, waits with deadlines, and a seed
that is printed.
"""

import atexit
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from . import broker as brokers
from .librdkafka import Observer, settled, wait_until
from .pipeline import kafka_pipeline
from .process import Program
from .verify import console_values, judge, numbers, values_by_partition

BINARY = Path(os.environ.get("MILLRACE_TEST_BINARY", brokers.ROOT / ".build/release/millrace"))
NO_BROKER = "no broker: set MILLRACE_TEST_BROKERS or KAFKA_HOME, or have ../shared/kafka"
FULL = os.environ.get("MILLRACE_TEST_FULL") == "1"


def say(text):
    print(f"    {text}", flush=True)


class KafkaCase(unittest.TestCase):
    """One broker serves all test classes of a run. `controls_broker` marks those that kill it: they need one
    that we started.
    """

    controls_broker = False
    needs_broker = True
    shared = None

    @classmethod
    def setUpClass(cls):
        cls.broker = None
        if not cls.needs_broker:
            return
        given = os.environ.get("MILLRACE_TEST_BROKERS")
        if given and not cls.controls_broker:
            cls.broker = brokers.GivenBroker()
            return
        if not brokers.available():
            raise unittest.SkipTest(NO_BROKER)
        if KafkaCase.shared is None:
            KafkaCase.shared = brokers.start()
        cls.broker = KafkaCase.shared

    def setUp(self):
        self.seed = int(os.environ.get("MILLRACE_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
        self.random = random.Random(self.seed)
        say(f"seed {self.seed}")
        self.folder = Path(tempfile.mkdtemp(prefix="millrace-test-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)  # an interrupted test runs no clean-up
        self.programs, self.stamp = [], f"{int(time.time() * 1000) % 10_000_000:07}"
        self.addCleanup(self._clean)

    def _clean(self):
        for program in self.programs:
            if program.alive:
                program.kill()
        outcome = getattr(self._outcome, "result", None)
        failed = any(test is self for test, _ in (outcome.failures + outcome.errors)) if outcome else True
        if failed or os.environ.get("MILLRACE_TEST_KEEP"):
            kept = (
                Path(os.environ.get("MILLRACE_TEST_LOGS", brokers.ROOT / ".build/test-logs"))
                / f"{self.id()}-{self.stamp}"
            )
            shutil.copytree(self.folder, kept, dirs_exist_ok=True, ignore_dangling_symlinks=True)
            say(f"pipelines and logs are kept in {kept}")
        shutil.rmtree(self.folder, ignore_errors=True)

    # MARK: topics

    def topic(self, name, partitions=4, broker=None, **config):
        """Makes a topic with a name of its own for this test and returns the name."""
        full = f"{name}-{self.stamp}"
        self.create(full, partitions, broker, **config)
        return full

    def create(self, full, partitions=4, broker=None, replication=1, **config):
        words = ["--create", "--topic", full, "--partitions", str(partitions)]
        words += ["--replication-factor", str(replication)]
        for key, value in config.items():
            words += ["--config", f"{key.replace('_', '.')}={value}"]
        self.kafka("topics", *words, broker=broker)

    def kafka(self, tool, *words, broker=None):
        """Runs one of Kafka's own tools and returns what it printed."""
        command = brokers.kafka_tool(tool)
        if not command:
            self.skipTest("no Kafka tools: set KAFKA_HOME or MILLRACE_KAFKA")
        done = subprocess.run(
            [*command, "--bootstrap-server", (broker or self.broker).bootstrap, *words],
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise AssertionError(f"kafka {tool} {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def needs_quotas(self):
        if brokers.embedded():
            self.skipTest("millrace broker has no client quotas, by which this test slows a writer down")

    def observer(self, group, broker=None, **settings):
        watch = Observer((broker or self.broker).bootstrap, group, **settings)
        self.addCleanup(watch.close)
        return watch

    # MARK: the program

    def pipeline(self, name, text):
        path = self.folder / f"{name}.yaml"
        path.write_text(text)
        return path

    def numbers_pipeline(self, name, source, sink, **options):
        """The pipeline that copies numbered records, each to the partition that it came from."""
        options.setdefault("sink_options", {"partition": "p"})
        options.setdefault("state_dir", str(self.folder / "state"))
        bootstrap = options.pop("bootstrap", self.broker.bootstrap)
        return self.pipeline(name, kafka_pipeline(name, bootstrap, source, sink, **options))

    def start(self, *words, command=None, environment=None, log="program", stdout_pipe=False):
        """Starts `millrace` (or another command) with these arguments; it ends with the test at the latest."""
        program = Program([*(command or [BINARY]), *words], self.folder / f"{log}.log", environment, stdout_pipe)
        self.programs.append(program)
        return program

    def wait(self, what, condition, seconds, *, alive=None, every=0.02):
        """Waits for a condition; a program in `alive` that ends meanwhile fails the test with its log."""
        watched = [alive] if isinstance(alive, Program) else (alive or [])

        def check():
            for program in watched:
                if not program.alive:
                    raise AssertionError(
                        f"the program ended with {program.process.returncode} while we waited for: "
                        f"{what}\n{program.tail()}"
                    )
            return condition()

        try:
            return wait_until(what, check, seconds, every)
        except TimeoutError as error:
            running = watched or [program for program in self.programs if program.alive]
            raise AssertionError(f"{error}\n" + "\n".join(program.tail() for program in running)) from None

    def time_takeover(self, watch, owner, standby, progress, seconds=45):
        """Kills the owner of a query and waits for the standby's first commit.

        Returns the seconds since the kill, and those since the broker ended the owner's membership.
        """
        self.wait_for_members(watch, 2, 30, alive=[owner, standby])
        owner.kill()
        killed, ended = time.monotonic(), None
        before = settled(lambda: progress() or None)

        def taken_over():
            nonlocal ended
            if ended is None and watch.members() != 2:
                ended = time.monotonic()
            return progress() > before

        self.wait("the standby takes over", taken_over, seconds, alive=standby)
        now = time.monotonic()
        self.assertIsNotNone(ended, "the standby took over from a member")
        say(
            f"the standby's first commit {now - killed:.1f} s after the owner was killed, "
            f"{now - ended:.2f} s after its session ended"
        )
        return now - killed, now - ended

    def wait_for_members(self, watch, members, seconds, *, alive):
        """Waits until the group has this many members and no rebalance goes on."""
        self.wait(
            f"a group of {members} at rest", lambda: watch.members() == members, seconds, alive=alive, every=0.1
        )

    def wait_for_lag_zero(self, watch, source, seconds, *, partitions=4, alive=None):
        """Waits until the group has committed all of the input, past its transaction markers."""

        def done():
            ends, read = watch.ends(source, partitions, stable=True), watch.committed(source, partitions)
            self.last_lag = (read, ends)
            return ends is not None and read == ends

        try:
            self.wait("lag zero", done, seconds, alive=alive, every=0.1)
        except AssertionError as error:
            raise AssertionError(f"committed {self.last_lag[0]} of {self.last_lag[1]}\n{error}") from None

    # MARK: verdicts

    def wait_for_markers(self, topic, partitions=4):
        """A commit is certain before its markers are in the partitions: until then readers do not see its records."""
        watch = self.observer(f"markers-{self.stamp}")

        def done():
            ends = watch.ends(topic, partitions)
            return ends is not None and ends == watch.ends(topic, partitions, stable=True)

        self.wait(f"the end of every transaction in {topic}", done, 30, every=0.1)

    def assert_says(self, program, *patterns, seconds=30, alive=True):
        """Waits until the program's output holds every pattern (regular expressions, any case)."""

        def missing():
            text = program.text()
            return [pattern for pattern in patterns if not re.search(pattern, text, re.IGNORECASE | re.DOTALL)]

        try:
            wait_until(lambda: f"the output does not say {missing()}", lambda: not missing(), seconds, 0.1)
        except TimeoutError as error:
            raise AssertionError(f"{error}; it says:\n{program.tail()}") from None
        if alive:
            self.assertTrue(program.alive, f"it ended with {program.process.poll()}:\n{program.tail()}")
        self.assert_no_crash(program)

    def assert_no_crash(self, program):
        code = program.process.poll()
        self.assertFalse(
            code is not None and code < 0 and code != -9, f"ended by signal {-(code or 0)}:\n{program.tail()}"
        )
        self.assertNotRegex(program.text(), r"Fatal error|Assertion .*failed|core dumped|Segmentation|rd_assert")

    def assert_exactly_once(self, sink, sent, *, java=True):
        """Reads the output with two independent clients and judges it; says how many aborted records lie between."""
        bootstrap = self.broker.bootstrap
        self.wait_for_markers(sink)
        found = values_by_partition(bootstrap, sink)
        total, everything = sum(map(len, found.values())), sum(
            map(len, values_by_partition(bootstrap, sink, committed=False).values())
        )
        verdict = judge(numbers(found), sent)
        say(
            f"kcat, read_committed: {total} of {sum(sent)} records: {verdict}; "
            f"{everything - total} aborted ones are hidden"
        )
        self.assertTrue(verdict.clean, str(verdict))
        if java:
            second = console_values(bootstrap, sink, sum(sent))
            if second is not None:
                verdict = judge(numbers(second), sent)
                say(f"console consumer, read_committed: {sum(map(len, second.values()))} records: {verdict}")
                self.assertTrue(verdict.clean, str(verdict))
        return everything - total
