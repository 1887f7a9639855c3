"""The same random traffic on Kafka and on `millrace broker`: everything that a client sees must be equal.

    differential KAFKA EMBEDDED [--seeds N] [--seed S]

A seed that finds a difference is tried again with fewer and fewer operations, and the shortest schedule that still
shows it is printed.
"""

import argparse
import sys
import time

from cluster import Cluster
from schedule import DAY_MS, Schedule
from view import View

SHRINK_LIMIT_S = 60


class Runs:
    """Carries out schedules on both brokers, each time under new names."""

    def __init__(self, kafka, embedded):
        self.clusters = [Cluster("Kafka", kafka), Cluster("millrace broker", embedded)]
        self.views = [View(cluster) for cluster in self.clusters]
        # Names of an earlier program on the same brokers are not met again.
        self.count, self.stamp, self.operations = 0, f"{time.time_ns() // 1_000_000:x}", 0

    def first_difference(self, phases, times):
        """(phase, what, Kafka's, the embedded broker's), or None."""
        self.count += 1
        for cluster in self.clusters:
            cluster.begin(f"d{self.stamp}-{self.count}-")
        try:
            topics = {}
            for number, phase in enumerate(phases):
                for operation in phase:
                    self.operations += 1
                    results = [cluster.apply(operation) for cluster in self.clusters]
                    if results[0] != results[1]:
                        return number, operation, *results
                    note(topics, operation, results[0])
                if found := self.differing_view(phases, topics, times):
                    return number, *found
        finally:
            for cluster in self.clusters:
                cluster.end()

    def differing_view(self, phases, topics, times):
        named = [operation.arguments for phase in phases for operation in phase]
        groups = sorted({arguments["group"] for arguments in named if "group" in arguments})
        writers = [arguments["writer"] for arguments in named if "writer" in arguments]
        transactions = sorted({writer.transaction for writer in writers if writer.transaction})
        ours, theirs = (view.take(topics, groups, transactions, times) for view in self.views)
        for what in sorted({*ours, *theirs}):
            if ours.get(what) != theirs.get(what):
                return what, ours.get(what), theirs.get(what)


def note(topics, operation, result):
    """Which topics there are now, by what both brokers answered."""
    arguments = operation.arguments
    if result is None and operation.verb in ("create_topic", "create_partitions"):
        topics[arguments["topic"]] = arguments.get("partitions") or arguments["count"]
    if result is None and operation.verb == "delete_topic":
        del topics[arguments["topic"]]


def shrink(runs, phases, times):
    """Drops operations, many at a time and then one by one, while any difference is left."""
    deadline, size = time.monotonic() + SHRINK_LIMIT_S, sum(map(len, phases)) // 2
    best = runs.first_difference(phases, times)
    while best and size and time.monotonic() < deadline:
        phases = [list(phase) for phase in phases[: best[0] + 1]]
        at = sum(map(len, phases)) - size
        while at > -size and time.monotonic() < deadline:
            shorter = without(phases, range(max(at, 0), at + size))
            if found := runs.first_difference(shorter, times):
                phases, best = shorter[: found[0] + 1], found
            at -= size
        size //= 2
    return phases, best


def without(phases, numbers):
    count, left = 0, []
    for phase in phases:
        left.append([operation for place, operation in enumerate(phase, count) if place not in numbers])
        count += len(phase)
    return left


def run(runs, seed):
    base = int(time.time() * 1000) - 60_000
    schedule = Schedule(seed, base)
    times = (base - 3 * DAY_MS, base - 50_000, base, base + DAY_MS)
    found = runs.first_difference(schedule.phases, times)
    if not found:
        return True
    print(f"seed {seed}: {describe(*found)}", flush=True)
    phases, found = shrink(runs, schedule.phases, times)
    if not found:
        print("  not seen a second time")
        return False
    print("the shortest schedule that still differs:")
    for operation in (operation for phase in phases for operation in phase):
        print(f"  {operation}")
    print(describe(*found), flush=True)
    return False


def describe(phase, what, kafka, embedded):
    return f"in phase {phase}: {what}\n  Kafka:           {kafka}\n  millrace broker: {embedded}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kafka")
    parser.add_argument("embedded")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    seeds = range(options.seeds) if options.seed is None else [options.seed]
    runs, began, failed = Runs(options.kafka, options.embedded), time.monotonic(), []
    for seed in seeds:
        if not run(runs, seed):
            failed.append(seed)
    print(f"{len(seeds)} seeds, {runs.operations} operations on each broker, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
