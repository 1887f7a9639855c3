"""Keyed state and windows under the kill schedule: the counts that stand in the output are those of an independent
count, whatever died when.
"""

import os
import statistics
import time
from collections import Counter

from harness import broker
from harness.case import KafkaCase, say
from harness.records import Feeder, Lines
from harness.schedule import Schedule
from harness.verify import kcat_lines, values_by_partition
from test_kill_schedule import RECORDS, check_recovery

RELEASE = broker.ROOT / ".build/release"
SLIDE_BATCHES, INTERVAL_MS = 5, 200
TAKEOVER_LIMIT_S = float(os.environ.get("MILLRACE_TAKEOVER_LIMIT_S", "2"))  # a second on a quiet machine
RECOVERY_LIMIT_S = float(os.environ.get("MILLRACE_STATE_RECOVERY_LIMIT_S", "5"))  # state is read back first


class StatefulWordCount(KafkaCase):
    controls_broker = True

    def launcher(self, program, name, *words):
        def launch(label):
            return self.start(
                *words,
                "--query",
                name,
                "--interval",
                f"{INTERVAL_MS}ms",
                command=[RELEASE / program],
                log=label,
                environment={
                    "MILLRACE_STATE_DIR": str(self.folder / "state"),
                    "MILLRACE_BROKERS": self.broker.bootstrap,
                },
            )

        return launch

    def test_totals_are_those_of_an_independent_count(self):
        source, sink, name = self.topic("lines"), self.topic("totals"), f"totals-{self.stamp}"
        program, sent = self.disturbed(self.launcher("StatefulKafkaWordCount", name, source, sink), name, source, sink)
        self.assertEqual(program.terminate(), 0, program.tail())
        self.wait_for_markers(sink)
        # Every batch writes every total: a word's totals never fall, and the last is all of it.
        last, falls = {}, 0
        for word, total in self.records(sink):
            falls += total < last.get(word, 0)
            last[word] = total
        self.judge(sent, Counter(last))
        self.assertEqual(falls, 0, "a total fell: state went back")
        self.assert_changelog(f"{name}-updateStateByKey-1-changelog", len(sent))

    def test_every_window_is_written_once(self):
        source, sink, name = self.topic("lines"), self.topic("windows"), f"windows-{self.stamp}"
        launch = self.launcher("WindowedKafkaWordCount", name, source, sink, str(SLIDE_BATCHES))
        program, sent = self.disturbed(launch, name, source, sink)
        # The last record has left every window when nothing is written any more.
        watch, quiet = self.observer(name), {"end": None, "since": 0.0}

        def is_quiet():
            end = watch.ends(sink, 4, stable=True)
            if end is None or end != quiet["end"]:
                quiet.update(end=end, since=time.monotonic())
            return time.monotonic() - quiet["since"] > 4 * SLIDE_BATCHES * INTERVAL_MS / 1000

        self.wait("the end of the last window", is_quiet, 120, alive=program, every=0.1)
        self.assertEqual(program.terminate(), 0, program.tail())
        self.wait_for_markers(sink)
        counted = Counter()
        for word, count in self.records(sink):
            counted[word] += count
        # Each word is in two windows.
        self.judge(Counter({word: 2 * count for word, count in sent.items()}), counted)

    def test_a_standby_goes_on_with_the_same_totals(self):
        """Two instances, back and forth: the standby follows the changelog and takes over after the owner's SIGKILL."""
        source, sink, name = self.topic("lines"), self.topic("totals"), f"standby-{self.stamp}"
        launch = self.launcher("StatefulKafkaWordCount", name, source, sink)
        watch, lines = self.observer(name), Lines(self.seed)
        feeder = Feeder(self.broker.bootstrap, source, watch, lines).start()
        self.addCleanup(feeder.close)
        read = lambda: sum(watch.committed(source, 4) or [0])
        owner = launch("owner")
        self.wait("the owner's first commit", lambda: read() > 0, 30, alive=owner)
        takeovers = []
        for turn in range(3):
            standby, before = launch(f"standby-{turn}"), read()
            self.wait("progress with a standby beside", lambda: read() > before + 20_000, 60, alive=[owner, standby])
            takeovers.append(self.time_takeover(watch, owner, standby, read)[1])
            owner = standby
        feeder.finish(at_least=0)
        self.wait_for_lag_zero(watch, source, 180, alive=owner)
        self.assertEqual(owner.terminate(), 0, owner.tail())
        self.wait_for_markers(sink)
        self.judge(self.words(source), Counter(dict(self.records(sink))))
        self.assertLessEqual(statistics.median(takeovers), TAKEOVER_LIMIT_S, "takeover after the session's end, s")

    # MARK: -

    def disturbed(self, launch, name, source, sink):
        """Runs the program under the schedule until all lines are read. Returns it, and the words that were sent."""
        watch, lines = self.observer(name), Lines(self.seed)
        feeder = Feeder(self.broker.bootstrap, source, watch, lines).start()
        self.addCleanup(feeder.close)
        schedule = Schedule(self, launch, watch, source, sink)
        program = schedule.run()
        feeder.finish(at_least=RECORDS)
        self.wait_for_lag_zero(watch, source, 180, alive=program)
        check_recovery(self, schedule, RECOVERY_LIMIT_S)
        return program, self.words(source)

    def words(self, source):
        """An independent count of the words that were sent."""
        values = values_by_partition(self.broker.bootstrap, source).values()
        return Counter(word.decode() for items in values for line in items for word in line.split())

    def records(self, sink):
        for line in kcat_lines(self.broker.bootstrap, sink, "%k %s\n").splitlines():
            word, count = line.split(b" ")
            yield word.decode(), int(count)

    def judge(self, expected, found):
        wrong = {word: (found[word], count) for word, count in expected.items() if found[word] != count}
        say(f"{sum(expected.values())} expected, {sum(found.values())} counted, {len(wrong)} words differ")
        self.assertEqual(wrong, {}, "word: (counted, expected)")
        self.assertEqual(set(found) - set(expected), set())

    def assert_changelog(self, topic, words):
        """Of each key the newest committed change is its state: as many keys as there are words, none deleted."""
        newest = {}
        for line in kcat_lines(self.broker.bootstrap, topic, "%p %K %S\n").splitlines():
            partition, key_size, size = line.split(b" ")
            newest.setdefault(partition, []).append(int(size))
        say(f"the changelog has {sum(map(len, newest.values()))} committed changes of {words} words")
        self.assertGreaterEqual(sum(map(len, newest.values())), words)
