"""The schedule of troubles that an exactly-once query must live through, and its driver."""

import signal
import time

from .case import say
from .librdkafka import settled, wait_until

FREEZE_S = 14  # longer than the transaction time-out and the session time-out, which are 10 s
COMMIT_DEADLINE_S = 60


class Schedule:
    """Kills, freezes and restarts a program in a random order, and only while it is seen to make progress.

    `launch(label)` starts one instance; `case` is the test; the watched progress is the group's committed offsets.
    """

    def __init__(
        self, case, launch, observer, source, sink, *, partitions=4, kills=20, early_kills=3, leave_out=()
    ):
        self.case, self.launch, self.observer = case, launch, observer
        self.source, self.sink, self.partitions = source, sink, partitions
        self.events = (
            ["kill"] * kills
            + ["early kill"] * early_kills
            + ["freeze", "freeze beside another", "broker killed"]
            + ["second instance", "second instance killed", "kill while another joins"]
        )
        self.events = [event for event in self.events if event not in leave_out]
        case.random.shuffle(self.events)
        self.random, self.recoveries, self.running, self.inside = case.random, [], None, 0

    def run(self):
        """Goes through all events; one instance is running afterwards, and it is returned."""
        self.running = self.launch("a")
        self.progress("the first start")
        for number, event in enumerate(self.events, 1):
            began = time.monotonic()
            note = getattr(self, event.replace(" ", "_"))()
            say(
                f"{number:2}/{len(self.events)} {event}: {note or ''} "
                f"({time.monotonic() - began:.1f} s, {self.total():,} read)"
            )
        return self.running

    # MARK: what is watched

    def total(self):
        read = self.observer.committed(self.source, self.partitions)
        return sum(read) if read else 0

    def progress(self, since, *, alive=None, before=None, seconds=COMMIT_DEADLINE_S):
        """Waits for a commit past `before` and returns when it was seen."""
        before = self.total() if before is None else before
        self.case.wait(
            f"a commit after {since}", lambda: self.total() > before, seconds, alive=alive or self.running, every=0.01
        )
        return time.monotonic()

    def all_partitions(self, since, *, alive=None):
        """Waits until every partition has moved: nobody who left, or is asleep, holds one any more."""
        before = wait_until("committed offsets", lambda: self.observer.committed(self.source, self.partitions), 30)

        def moved():
            now = self.observer.committed(self.source, self.partitions)
            return now and all(later > earlier for later, earlier in zip(now, before))

        self.case.wait(
            f"a commit in every partition after {since}", moved, COMMIT_DEADLINE_S, alive=alive or self.running
        )

    def at_rest(self, members, *, alive=None):
        """Waits until the group has this many members and no rebalance goes on. Whoever ends stays a member until
        its session does, so that a restart changes nothing for the others.
        """
        self.case.wait_for_members(self.observer, members, COMMIT_DEADLINE_S, alive=alive or self.running)

    def committed_total(self):
        """As `total`, but settled: right after a kill the broker may still be finishing a commit, which is not
        the next one's.
        """

        return sum(settled(lambda: self.observer.committed(self.source, self.partitions)))

    def in_transaction(self):
        """Whether the output holds records of a transaction that is still open."""
        ends = self.observer.ends(self.sink, self.partitions), self.observer.ends(
            self.sink, self.partitions, stable=True
        )
        return None not in ends and ends[0] > ends[1] and all(high >= stable for high, stable in zip(*ends))

    def settle(self):
        time.sleep(self.random.uniform(0.0, 0.5))

    # MARK: events

    def kill(self):
        self.progress("the last event")
        self.settle()
        self.running.kill()
        self.inside += self.in_transaction()
        before = self.committed_total()
        self.running = self.launch("a")
        took = self.progress("a restart", before=before) - self.running.started
        self.recoveries.append(took)
        return f"first commit {took:.2f} s after the restart"

    def early_kill(self):
        """Kills an instance that has just started, wherever it is in its recovery, perhaps several times in a row."""
        times = self.random.randint(1, 3)
        for _ in range(times):
            self.running.kill()
            self.running = self.launch("a")
            time.sleep(self.random.uniform(0.02, 0.6))
        self.running.kill()
        self.running = self.launch("a")
        self.progress("an early kill")
        return f"{times + 1} times"

    def freeze(self):
        """SIGSTOP inside an open transaction until it has expired, then SIGCONT: the same process must go on."""
        inside = self.stop_inside()
        time.sleep(FREEZE_S)
        before = self.committed_total()
        self.running.signal(signal.SIGCONT)
        self.progress("SIGCONT", before=before)
        self.all_partitions("SIGCONT")
        return "the same process went on" + (", its transaction had expired" if inside else "")

    def freeze_beside_another(self):
        """As `freeze`, while another instance takes the work over: the frozen one wakes up fenced."""
        frozen, inside = self.running, self.stop_inside()
        other, before = self.launch("b"), self.committed_total()
        self.progress("the other instance took over", alive=other, before=before)
        time.sleep(2)
        frozen.signal(signal.SIGCONT)
        self.progress("the frozen one woke up", alive=[frozen, other])
        time.sleep(self.random.uniform(0.5, 3))
        self.case.assertTrue(frozen.alive, f"the fenced instance ended:\n{frozen.tail()}")
        self.case.assertEqual(other.terminate(), 0, other.tail())
        self.left_alone("the other instance left")
        return "inside a transaction" if inside else ""

    def broker_killed(self):
        self.case.broker.kill()
        time.sleep(self.random.uniform(0.5, 3))
        self.case.broker.restart()
        self.progress("the broker came back", seconds=90)
        self.all_partitions("the broker came back")
        return "the same process went on"

    def second_instance(self):
        other = self.beside()
        self.case.assertEqual(other.terminate(), 0, other.tail())
        self.left_alone("the second instance left")

    def second_instance_killed(self):
        self.beside().kill()
        self.left_alone("the second instance was killed")

    def kill_while_another_joins(self):
        """Kills and restarts the one that works while the group is being rebalanced for a second one."""
        other = self.launch("b")
        time.sleep(self.random.uniform(0, 6))
        self.running.kill()
        # The other one may be at work all the while, so progress need not come to rest.
        self.running = self.launch("a")
        self.all_partitions("a restart beside another", alive=[self.running, other])
        self.case.assertEqual(other.terminate(), 0, other.tail())
        self.left_alone("the other instance left")

    # MARK: parts

    def beside(self):
        other = self.launch("b")
        both = [self.running, other]
        self.at_rest(2, alive=both)
        time.sleep(self.random.uniform(0, 3))
        self.progress("two instances", alive=both)
        return other

    def left_alone(self, since):
        self.at_rest(1)
        self.all_partitions(since)

    def stop_inside(self, tries=40):
        """Stops the program at a moment when a transaction of it is open; gives up after some tries."""
        self.progress("the last event")
        for _ in range(tries):
            time.sleep(self.random.uniform(0.0, 0.05))
            self.running.signal(signal.SIGSTOP)
            time.sleep(0.05)
            if self.in_transaction():
                return True
            self.running.signal(signal.SIGCONT)
        self.running.signal(signal.SIGSTOP)
        return False
