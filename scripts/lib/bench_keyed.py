"""Counts by key beside Kafka Streams: how many words a second, and how late a record with its count comes out."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench_peers import build_limit, make_topic

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "RealKafka"))
from harness import broker as brokers  # noqa: E402
from harness.process import Program  # noqa: E402

COUNTS = ROOT / ".build/release/KeyedCount"
DEADLINE_S = 300
WARM_UP_S = 12
OURS, STREAMS = "millrace", "Kafka Streams"


def words(peers, records, runs):
    """Records a second from the first count in the output to the last one, exactly-once."""
    print("▷ words", flush=True)
    return Runs(peers).all(lambda bench: bench.words(records, runs))


def keyed(peers, seconds, runs):
    """Latencies of 10,000 records a second, exactly-once."""
    print("▷ keyed", flush=True)
    return Runs(peers).all(lambda bench: bench.keyed(seconds, runs))


class Runs:
    def __init__(self, peers):
        self.peers, self.topics = peers, 0

    def all(self, body):
        self.node = brokers.start()
        try:
            with tempfile.TemporaryDirectory() as folder:
                self.folder = Path(folder)
                self.limit = build_limit(self.peers, folder)
                jars = [*(self.peers / "libs").glob("*.jar"), brokers.tools_folder() / "libs" / "*"]
                self.jars = ":".join(map(str, [self.folder, *jars]))
                sources = [self.peers / "Bench.java", ROOT / "bench/peers/KeyedRecords.java"]
                subprocess.run(["javac", "-cp", self.jars, "-d", self.folder, *sources], check=True)
                return body(self)
        finally:
            self.node.close()

    # MARK: - Words

    def words(self, records, runs):
        source = self.topic()
        self.run_limit("fill", self.node.bootstrap, source, records, 240)
        rows = []
        for run in range(runs):
            for engine in (STREAMS, OURS):
                sink = self.topic("message.timestamp.type=LogAppendTime")
                reader = Counts(self.node.bootstrap, sink, isBinary=engine == STREAMS)
                program = self.streams("Bench", "count", source, sink) if engine == STREAMS else self.ours(
                    "words", source, sink, "100ms"
                )
                try:
                    taken = reader.until(records, program)
                    cpu = program.cpu_seconds()
                finally:
                    program.terminate()
                    reader.close()
                row = {"records_per_s": int(records / taken), "cpu_s": cpu, "correct": reader.total == records}
                rows.append(self.row("words", engine, run, row))
        return rows

    # MARK: - Latency

    def keyed(self, seconds, runs):
        rows = []
        for run in range(runs):
            for engine in (STREAMS, OURS):
                source, sink = self.topic(), self.topic()
                program = self.streams("KeyedRecords", source, sink) if engine == STREAMS else self.ours(
                    "records", source, sink, "50ms"
                )
                time.sleep(WARM_UP_S)
                text = self.run_limit("latency", self.node.bootstrap, source, sink, 10_000, seconds)
                program.terminate()
                back = re.search(r"(\d+) of (\d+) came back", text)
                figures = {f"{name}_ms": float(value) for name, value in re.findall(r"(p50|p90|p99) ([\d.]+)", text)}
                rows.append(self.row("keyed", engine, run, {**figures, "correct": back[1] == back[2]}))
        return rows

    # MARK: - Parts

    def row(self, workload, engine, run, figures):
        row = {"workload": workload, "guarantee": "eos", "engine": engine, "run": run + 1, **figures}
        print(f"  {row}", flush=True)
        return row

    def ours(self, mode, source, sink, interval):
        command = [COUNTS, mode, source, sink, "--query", f"count-{sink}", "--interval", interval]
        command += ["--state-dir", self.folder / f"state-{sink}"]
        return Program(command, self.folder / f"{sink}.log", {"MILLRACE_BROKERS": self.node.bootstrap})

    def streams(self, program, *words):
        command = ["java", "-Xmx4g", "-Xms1g", "-cp", self.jars, program, self.node.bootstrap, *words]
        return Program([*command, "eos", "2", "100"], self.folder / f"{words[-1]}.log")

    def topic(self, *settings):
        self.topics += 1
        name = f"keyed-{self.topics}"
        make_topic(self.node.bootstrap, name, *settings)
        return name

    def run_limit(self, *words):
        words = [str(word) for word in (self.limit, *words)]
        environment = {**os.environ, "LIMIT_CONF": "linger.ms=0.5"}
        return subprocess.run(words, check=True, capture_output=True, text=True, env=environment, timeout=600).stdout


class Counts:
    """The newest count of each word in a topic, as they come."""

    def __init__(self, bootstrap, topic, isBinary):
        command = ["kcat", "-C", "-u", "-q", "-b", bootstrap, "-t", topic, "-o", "beginning"]
        command += ["-X", "isolation.level=read_committed", "-f", "%T %k %s\\n"]
        if isBinary:
            command += ["-s", "value=>q"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.counts, self.total, self.first = {}, 0, None

    def until(self, total, program):
        """Seconds of the broker's clock from the first count to the one that makes the total."""
        # Its end is the end of the lines.
        watchdog = threading.Timer(DEADLINE_S, self.process.kill)
        watchdog.start()
        try:
            return self.read(total, program)
        finally:
            watchdog.cancel()

    def read(self, total, program):
        for line in self.process.stdout:
            at, word, count = line.split()
            self.first = self.first or int(at)
            self.total += int(count) - self.counts.get(word, 0)
            self.counts[word] = int(count)
            if self.total >= total:
                return max(0.001, (int(at) - self.first) / 1000)
            if not program.alive:
                break
        raise SystemExit(f"bench: the counts came to {self.total} of {total}:\n{program.tail()}")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
