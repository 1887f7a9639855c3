"""The embedded broker beside Apache Kafka in the same run: what goes in and out in a second, and how soon.

Kafka's own performance tools write and read records of 100 bytes in four partitions, raw C measures the latency of
10,000 records a second; the same for all. Nobody syncs each write, as is Kafka's default.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_peers import build_limit, make_topic

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "RealKafka"))
from harness import broker as brokers  # noqa: E402

BINARY = os.environ.get("MILLRACE_BINARY", str(ROOT / ".build/release/millrace"))
KAFKA, DISK, MEMORY = "Kafka", "millrace broker", "millrace broker (memory)"
RATE = 10_000
START_LIMIT_S = 20


def broker(peers, records, seconds, runs):
    print("▷ broker", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        limit = build_limit(peers, folder)
        for run in range(1, runs + 1):
            for engine in (KAFKA, DISK, MEMORY):
                node = brokers.start() if engine == KAFKA else Node(Path(folder) / f"{engine}-{run}", engine == DISK)
                try:
                    row = {"workload": "broker", "guarantee": "plain", "engine": engine, "run": run}
                    row |= measure(limit, node.bootstrap, records, seconds)
                    if engine != KAFKA:
                        row["start_ms"] = node.start_ms
                finally:
                    node.close()
                print(f"  {row}", flush=True)
                rows.append(row)
    return rows


def measure(limit, bootstrap, records, seconds):
    for topic in ("warm", "rate", "round"):
        make_topic(bootstrap, topic)
    # The first records warm the broker up, which matters to a JVM.
    produce(bootstrap, "warm", records // 2)
    fetch(bootstrap, "warm", records // 2)
    row = {
        "produce_per_s": produce(bootstrap, "rate", records),
        "fetch_per_s": statistics.median(fetch(bootstrap, "rate", records) for _ in range(3)),
    }
    words = [limit, "latency", bootstrap, "round", "round", str(RATE), str(seconds)]
    text = output(words, {**os.environ, "LIMIT_CONF": "linger.ms=0.5"})
    back = re.search(r"(\d+) of (\d+) came back", text)
    row |= {f"{name}_ms": float(value) for name, value in re.findall(r"(p50|p99) ([\d.]+)", text)}
    return row | {"correct": back[1] == back[2]}


def produce(bootstrap, topic, records):
    words = ["--topic", topic, "--num-records", str(records), "--record-size", "100", "--throughput", "-1"]
    words += ["--producer-props", f"bootstrap.servers={bootstrap}", "acks=all"]
    text = output([*brokers.kafka_tool("producer-perf-test"), *words])
    return float(re.search(rf"{records} records sent, ([\d.]+) records/sec", text)[1])


def fetch(bootstrap, topic, records):
    """Without the time until the group has its partitions."""
    words = ["--bootstrap-server", bootstrap, "--topic", topic, "--num-records", str(records), "--hide-header"]
    line = output([*brokers.kafka_tool("consumer-perf-test"), *words, "--timeout", "30000"]).strip().splitlines()[-1]
    return float(line.split(",")[-1])


def output(command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    if done.returncode:
        raise SystemExit(f"bench: {command[0]} failed: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class Node:
    """`millrace broker`, and how long it took until a client could connect."""

    def __init__(self, folder, on_disk):
        folder.mkdir()
        self.bootstrap = f"127.0.0.1:{brokers.free_port()}"
        words = ["--data", folder / "data"] if on_disk else []
        began = time.monotonic()
        self.process = subprocess.Popen(
            [BINARY, "broker", "--listen", self.bootstrap, "--no-auto-create", *words], stdin=subprocess.DEVNULL,
            stdout=open(folder / "log", "ab"), stderr=subprocess.STDOUT,
        )
        port = int(self.bootstrap.rsplit(":", 1)[1])
        while not brokers.answers(port):
            if self.process.poll() is not None or time.monotonic() - began > START_LIMIT_S:
                self.close()
                raise SystemExit(f"bench: the broker did not start: {(folder / 'log').read_text()[-1000:]}")
            time.sleep(0.001)
        self.start_ms = round((time.monotonic() - began) * 1000, 1)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
