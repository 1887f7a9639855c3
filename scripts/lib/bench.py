#!/usr/bin/env python3
"""The body of scripts/bench: runs the workloads, prints a table with the budgets, writes JSON."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_broker import broker
from bench_budgets import Figures, budgets, spread
from bench_consume import consume
from bench_keyed import keyed, words
from bench_state import state

ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(os.environ.get("MILLRACE_PEERS", ROOT.parent / "shared" / "peers"))
BINARY = os.environ.get("MILLRACE_BINARY", str(ROOT / ".build/release/millrace"))
CAMPAIGNS = str(ROOT / ".build/release/CampaignCount")
UNITS = {
    "records_per_s": "/s",
    "produce_per_s": "/s in",
    "fetch_per_s": "/s out",
    "start_ms": "ms start",
    "p50_ms": "ms p50",
    "p99_ms": "ms p99",
    "cpu_s": "s cpu",
    "first_commit_s": "s",
    "resident_mb": "MB",
}
GUARANTEES = {"eos": "exactly-once", "alos": "at-least-once"}

broken = []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="filter,latency,consume,window,words,keyed,state,broker")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not (PEERS / "compare").exists():
        sys.exit(f"bench: {PEERS} has no `compare`: set MILLRACE_PEERS")
    load = os.getloadavg()[0]
    if load > 0.7:
        print(f"The load of this machine is {load:.1f}: figures taken beside other work mean little.", flush=True)
    runs, records, seconds = (1, 3_000_000, 6) if options.quick else (5, 10_000_000, 15)
    wanted, results = options.only.split(","), []
    if "consume" in wanted:
        results += consume(PEERS, BINARY, records, runs)
    if "filter" in wanted:
        for guarantee in GUARANTEES:
            engines = "limit,streams" if guarantee == "eos" else "limit"
            results += compare("filter", guarantee, 100, engines, ["--records", str(records), "--runs", str(runs)])
    if "window" in wanted:
        results += compare("window", "eos", 100, "limit,streams", ["--records", str(records), "--runs", str(runs)])
    if "words" in wanted:
        results += words(PEERS, records, runs)
    if "keyed" in wanted:
        results += keyed(PEERS, seconds, runs)
    if "state" in wanted:
        results += state(PEERS, 1_000_000 if options.quick else 10_000_000)
    if "broker" in wanted:
        results += broker(PEERS, records // 2, seconds, min(runs, 3))
    if "latency" in wanted:
        common = ["--seconds", str(seconds)]
        results += compare("latency", "eos", 100, "limit,streams", [*common, "--runs", str(runs)])
        for commit_ms in () if options.quick else (5, 10, 20):
            results += compare("latency", "eos", commit_ms, "streams", [*common, "--runs", "3"], ours=False)
        results += compare("latency", "alos", 100, "limit", [*common, "--runs", str(runs)])
    show(results, options)


def compare(workload, guarantee, commit_ms, engines, words, ours=True):
    """One invocation of `compare`: all its engines on one broker, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        command = [
            str(PEERS / "compare"),
            workload,
            "--guarantee",
            guarantee,
            "--commit-ms",
            str(commit_ms),
            "--engines",
            engines,
            "--json",
            str(out),
            *words,
        ]
        if ours:
            program = (
                f"env MILLRACE_BROKERS={{bootstrap}} IN={{in}} OUT={{out}} RUN={{run}} "
                f"GUARANTEE={GUARANTEES[guarantee]} FETCH_MIN_BYTES={50_000 if guarantee == 'eos' else 1} "
            )
            if workload == "window":
                program += f"{CAMPAIGNS} {{in}} {{out}} --query campaigns-{{run}} --interval {commit_ms}ms"
            else:
                program += f"{BINARY} run {ROOT}/bench/{workload}.yaml"
            command += ["--command", "millrace", program]
        print(f"▷ {workload}, {guarantee}, commit every {commit_ms} ms", flush=True)
        # What one broker that does not start costs is this part, not the hour before it.
        for _ in range(2):
            if subprocess.run(command, stdin=subprocess.DEVNULL, timeout=7200).returncode == 0:
                break
        else:
            broken.append(f"{workload}, {guarantee}, commit every {commit_ms} ms")
            return []
        found = json.loads(out.read_text())
    return [{**row, "commit_ms": commit_ms} for row in found]


def show(results, options):
    figures = Figures(results)
    print(f"\n{'workload':<10}{'guarantee':<10}{'engine':<26}{'median':>14}  {'spread':<22}{'of the limit':>12}")
    for (workload, guarantee, commit_ms, engine, key), values in figures.groups():
        limit = figures.limit(workload, guarantee, key)
        share = f"x{figures.median_of(values) / limit:.2f}" if limit else ""
        name = engine + (f" ({commit_ms} ms)" if engine == "Kafka Streams" else "")
        unit = UNITS[key]
        print(
            f"{workload:<10}{guarantee:<10}{name:<26}{figures.median_of(values):>14,.1f}  "
            f"{spread(values) + ' ' + unit:<22}{share:>12}"
        )
    print("\nbudgets")
    verdicts = budgets(figures)
    for verdict in verdicts:
        print(
            f"  {'met   ' if verdict['met'] else 'MISSED'}  {verdict['what']}: "
            f"{verdict['figure']} (budget {verdict['budget']})"
        )
    wrong = [row for row in results if row.get("correct") is False]
    for row in wrong:
        print(f"  WRONG OUTPUT  {row['engine']}, {row['workload']}, {row['guarantee']}, run {row['run']}")
    for what in broken:
        print(f"  NOT MEASURED  {what}")
    if options.json:
        options.json.write_text(
            json.dumps({"quick": options.quick, "results": results, "budgets": verdicts}, indent=1) + "\n"
        )
        print(f"written: {options.json}")
    sys.exit(1 if wrong or broken else 0)


if __name__ == "__main__":
    main()
