"""Numbered input and the one who keeps feeding it: records whose place in the order is written in them."""

import random
import threading

from .librdkafka import Producer

PARTITIONS = 4
WORDS = [f"word{n:03}" for n in range(200)]


def numbered(partition, number):
    return b'{"p":%d,"n":%d,"pad":"%s"}' % (partition, number, b"x" * 40)


class Lines:
    """Text for the word count; keeps its own count of every word, apart from whatever the program counts."""

    def __init__(self, seed):
        self.random, self.counts = random.Random(seed), dict.fromkeys(WORDS, 0)

    def __call__(self, _partition, _number):
        words = self.random.choices(WORDS, k=6)
        for word in words:
            self.counts[word] += 1
        return " ".join(words).encode()


class Feeder:
    """Keeps a backlog in the input topic, so that the program always has work.

    At most `rate` records a second, so that a long wait does not fill the disk.

    Each partition's records are numbered 0, 1, 2, ...; `sent` says how many each has.
    """

    def __init__(self, bootstrap, topic, observer, make=numbered, backlog=40_000, partitions=PARTITIONS, rate=40_000):
        self.topic, self.observer, self.make, self.backlog, self.rate = topic, observer, make, backlog, rate
        self.producer = Producer(bootstrap)
        self.sent = [0] * partitions
        self.stopping, self.error = threading.Event(), None
        self.thread = threading.Thread(target=self._feed, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def add(self, count):
        """Adds at least that many records, spread evenly over the partitions."""
        for partition in range(len(self.sent)):
            self.add_to(partition, -(-count // len(self.sent)))

    def add_to(self, partition, count):
        for _ in range(count):
            self.producer.send(self.topic, partition, self.make(partition, self.sent[partition]))
            self.sent[partition] += 1

    def finish(self, at_least):
        """Stops feeding, tops the input up and waits until all of it is written; returns the count of each
        partition.
        """
        self.stopping.set()
        self.thread.join(120)
        if self.error:
            raise self.error
        self.add(max(0, at_least - sum(self.sent)))
        self.producer.flush()
        self.close()
        return list(self.sent)

    def close(self):
        self.stopping.set()
        if self.thread.is_alive():
            self.thread.join(120)
        self.producer.close()

    def _feed(self):
        try:
            while not self.stopping.is_set():
                read = self.observer.committed(self.topic, len(self.sent), seconds=2)
                short = [
                    p
                    for p, (sent, done) in enumerate(zip(self.sent, read or self.sent))
                    if sent - done < self.backlog / len(self.sent)
                ]
                if not read or not short:
                    self.stopping.wait(0.02)
                for partition in (
                    short if read else []
                ):  # each by itself: a partition that nobody reads must not starve the others
                    self.add_to(partition, 1_250)
                if read and short:
                    self.stopping.wait(1_250 * len(short) / self.rate)
        except Exception as error:  # given to the test's own thread by `finish`
            self.error = error
