"""The state workload: ten million keys of 100 bytes, and how soon a query is back after a kill.

The restores are compared with raw C that reads the same changelog from its beginning.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_peers import build_limit, make_topic

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "RealKafka"))
from harness import broker as brokers  # noqa: E402
from harness.process import Program  # noqa: E402

STATES = ROOT / ".build/release/StateLoad"
DEADLINE_S = 1800
MEMORY_MB = 256


def state(peers, keys):
    """Rows of one run: restart with the local copy, and from the changelog alone to disk and to memory."""
    print("▷ state", flush=True)
    node = brokers.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return Run(node.bootstrap, Path(folder), peers, keys).rows()
    finally:
        node.close()


class Run:
    def __init__(self, bootstrap, folder, peers, keys):
        self.bootstrap, self.folder, self.keys, self.starts = bootstrap, folder, keys, 0
        self.limit = build_limit(peers, folder)
        for topic in ("in", "out"):
            make_topic(bootstrap, topic)

    def rows(self):
        self.fill(self.keys)
        program, _ = self.start("disk")
        began = time.monotonic()
        while program.committed() < self.keys:
            self.watch(program, began)
            time.sleep(0.2)
        load_s, memory = time.monotonic() - began, program.memory_bytes()
        rate = self.keys / load_s
        print(
            f"  {self.keys:,} keys in {load_s:.0f} s, {rate:,.0f} /s; resident {memory[1] >> 20} MB at most, "
            f"budget {MEMORY_MB} MB",
            flush=True,
        )
        rows = [self.row("load", records_per_s=rate, resident_mb=memory[1] / (1 << 20))]
        rows.append(self.restart(program, "local restart", "disk"))
        for backend in ("disk", "memory"):
            raw = self.read_raw()
            row = self.restart(self.program, f"restore to {backend}", backend, keeps_folder=False)
            rows.append({**row, "raw_per_s": raw})
            print(f"  restore to {backend}: {row['records_per_s']:,.0f} /s, raw C read {raw:,.0f} /s", flush=True)
        self.program.kill()
        return rows

    def row(self, engine, **figures):
        return {"workload": "state", "guarantee": "eos", "engine": engine, "run": 1, **figures}

    def restart(self, program, name, backend, keeps_folder=True):
        """Kills the program in the middle of its work, starts it again, and waits for the first commit."""
        self.fill(10_000)
        program.kill()
        if not keeps_folder:
            shutil.rmtree(self.folder / "state" / "state")
        # So that there is something to commit, whatever the kill has hit.
        self.fill(10_000)
        program, began = self.start(backend)
        while not program.committed():
            self.watch(program, began)
            time.sleep(0.01)
        took = time.monotonic() - began
        restored = re.search(r"Restored state from (\d+) changes in ([\d.]+) s", program.text())
        rate = int(restored[1]) / float(restored[2]) if restored else 0
        print(f"  {name}: first commit after {took:.2f} s, {restored[0] if restored else 'nothing read'}", flush=True)
        memory = program.memory_bytes()[1] / (1 << 20)
        return self.row(name, first_commit_s=took, records_per_s=rate, resident_mb=memory)

    def start(self, backend):
        self.starts += 1
        self.program = Program(
            [STATES, "in", "out", backend, str(MEMORY_MB), "--query", "load", "--interval", "200ms"]
            + ["--state-dir", self.folder / "state"],
            self.folder / f"{self.starts}.log",
            {"MILLRACE_BROKERS": self.bootstrap},
        )
        return self.program, time.monotonic()

    def watch(self, program, began):
        if not program.alive:
            raise SystemExit(f"bench: the state program ended:\n{program.tail()}")
        if time.monotonic() - began > DEADLINE_S:
            raise SystemExit(f"bench: no end of the state workload:\n{program.tail()}")

    def fill(self, count):
        subprocess.run([self.limit, "fill", self.bootstrap, "in", str(count), "130"], check=True, capture_output=True)

    def read_raw(self):
        text = subprocess.run(
            [self.limit, "read", self.bootstrap, "load-mapWithState-1-changelog", str(self.keys)],
            check=True,
            capture_output=True,
            text=True,
            timeout=600,
        ).stdout
        return int(re.search(r"= (\d+) /s", text)[1])
