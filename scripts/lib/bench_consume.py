"""The consume workload: a topic read to its end by raw C and by a pipeline that drops every record."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_peers import build_limit, make_topic

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "RealKafka"))
from harness import broker as brokers  # noqa: E402


def consume(peers, binary, records, runs):
    """Rates without start-up: the raw read counts from its first record on; from ours the time for an empty
    topic is taken off.
    """
    print("▷ consume", flush=True)
    node = brokers.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            limit = build_limit(peers, folder)
            for topic in ("full", "empty"):
                make_topic(node.bootstrap, topic)
            subprocess.run(
                [limit, "fill", node.bootstrap, "full", str(records), "240"], check=True, capture_output=True
            )
            return [row for run in range(runs) for row in one_run(limit, binary, node.bootstrap, records, run)]
    finally:
        node.close()


def one_run(limit, binary, bootstrap, records, run):
    text = subprocess.run(
        [limit, "read", bootstrap, "full", str(records)], check=True, capture_output=True, text=True
    ).stdout
    raw = int(re.search(r"= (\d+) /s", text)[1])
    start = timed(binary, bootstrap, "empty", f"{run}-empty")
    rate = int(records / max(1e-3, timed(binary, bootstrap, "full", f"{run}-full") - start))
    print(f"  run {run + 1}: raw C read {raw:,} /s, millrace {rate:,} /s (start and stop {start:.2f} s)", flush=True)
    common = {"workload": "consume", "guarantee": "plain", "run": run + 1}
    return [
        {**common, "engine": "raw C read", "records_per_s": raw},
        {**common, "engine": "millrace", "records_per_s": rate},
    ]


def timed(binary, bootstrap, topic, run):
    environment = {**os.environ, "MILLRACE_BROKERS": bootstrap, "IN": topic, "RUN": run}
    began = time.monotonic()
    subprocess.run(
        [binary, "run", ROOT / "bench" / "consume.yaml"],
        check=True,
        env=environment,
        timeout=600,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - began
