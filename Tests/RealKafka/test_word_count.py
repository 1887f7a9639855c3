"""The DStream example under the same schedule: the sum of its per-batch counts is the count of the words that
were sent.
"""

import os
from collections import Counter
from pathlib import Path

from harness import broker
from harness.case import KafkaCase, say
from harness.records import Feeder, Lines
from harness.schedule import Schedule
from harness.verify import kcat_lines, values_by_partition
from test_kill_schedule import RECORDS, check_recovery

EXAMPLE = Path(os.environ.get("MILLRACE_TEST_WORDCOUNT", broker.ROOT / ".build/release/DirectKafkaWordCount"))


class WordCount(KafkaCase):
    """`DirectKafkaWordCount BROKERS QUERY TOPICS OUTPUT`, its state folder in MILLRACE_STATE_DIR."""

    controls_broker = True

    def launch(self, name, source, sink, log):
        return self.start(
            self.broker.bootstrap,
            name,
            source,
            sink,
            command=[EXAMPLE],
            log=log,
            environment={"MILLRACE_STATE_DIR": str(self.folder / "state")},
        )

    def test_batches_add_up(self):
        source, sink, name = self.topic("lines"), self.topic("counts"), f"words-{self.stamp}"
        watch, lines = self.observer(name), Lines(self.seed)
        feeder = Feeder(self.broker.bootstrap, source, watch, lines).start()
        self.addCleanup(feeder.close)
        schedule = Schedule(self, lambda label: self.launch(name, source, sink, label), watch, source, sink)
        program = schedule.run()
        sent = feeder.finish(at_least=RECORDS)
        self.wait_for_lag_zero(watch, source, 180, alive=program)
        self.assertEqual(program.terminate(), 0, program.tail())
        self.assert_counts(source, sink, sum(sent), lines.counts)
        check_recovery(self, schedule)

    def test_standby_takes_over(self):
        """Two instances of an owned query: the standby works after the owner's SIGKILL, back and forth, and
        nothing counts twice.
        """
        source, sink, name = self.topic("lines"), self.topic("counts"), f"words-{self.stamp}"
        watch, lines = self.observer(name), Lines(self.seed)
        feeder = Feeder(self.broker.bootstrap, source, watch, lines).start()
        self.addCleanup(feeder.close)
        owner = self.launch(name, source, sink, "owner")
        total = lambda: sum(watch.committed(source, 4) or [0])
        self.wait("the owner's first commit", lambda: total() > 0, 30, alive=owner)
        for turn in range(4):
            standby, before = self.launch(name, source, sink, f"standby-{turn}"), total()
            self.wait("progress with a standby beside", lambda: total() > before, 30, alive=[owner, standby])
            self.wait("more progress", lambda: total() > before + 20_000, 60, alive=[owner, standby])
            self.time_takeover(watch, owner, standby, total)
            owner = standby
        sent = feeder.finish(at_least=0)
        self.wait_for_lag_zero(watch, source, 180, alive=owner)
        self.assertEqual(owner.terminate(), 0, owner.tail())
        self.assert_counts(source, sink, sum(sent), lines.counts)

    def assert_counts(self, source, sink, lines_sent, expected):
        bootstrap = self.broker.bootstrap
        sent = Counter(
            word for items in values_by_partition(bootstrap, source).values() for line in items for word in line.split()
        )
        self.assertEqual(
            {word.decode(): count for word, count in sent.items()}, {w: n for w, n in expected.items() if n}
        )
        counted = Counter()
        for line in kcat_lines(bootstrap, sink, "%k %s\n").splitlines():
            word, count = line.split(b" ")
            counted[word] += int(count)
        wrong = {word.decode(): (counted[word], count) for word, count in sent.items() if counted[word] != count}
        say(
            f"{lines_sent} lines, {sum(sent.values())} words sent, "
            f"{sum(counted.values())} counted, {len(wrong)} words differ"
        )
        self.assertEqual(wrong, {}, "word: (counted, sent)")
        self.assertEqual(sum(counted.values()), sum(sent.values()))
