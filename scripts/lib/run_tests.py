#!/usr/bin/env python3
"""Builds and runs every test of the project: the body of scripts/test, which describes the options."""

import argparse
import json
import os
import re
import signal
import sys
from pathlib import Path

from steps import Steps, StepFailed

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".build" / "test-logs"
PROCESS_TESTS = ROOT / "Tests" / "RealKafka"
sys.path.insert(0, str(PROCESS_TESTS))
BUILD_LIMIT_S, UNIT_LIMIT_S, REAL_LIMIT_S, FULL_LIMIT_S = 1500, 600, 3000, 7200
FUZZING, FUZZED_INPUTS, FUZZING_LIMIT_S = "fuzzing/noInputBreaksTheBroker", 60_000, 120
SIMULATION, SIMULATION_LIMIT_S = "simulation/seedsHoldEveryInvariant", 300
SIMULATED_BREAKAGES = "simulation/everyBreakageIsFound"
SIMULATED_SEEDS = {"model": 2000, "broker": 1000}


class Totals:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []  # skipped: (name, reason)

    def report(self):
        """The last lines: what failed and what was skipped, by name, then the sum alone."""
        for name, reason in sorted(self.skipped):
            print(f"skipped: {name}: {reason}")
        for name in self.failed:
            print(f"failed: {name}")
        print(f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped", flush=True)
        return 1 if self.failed else 0


def main():
    options = parse()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(
            number, signal.default_int_handler
        )  # ends as Ctrl-C does: what runs is stopped, the sum is printed
    os.chdir(ROOT)
    os.environ["SWIFT_BACKTRACE"] = "enable=no"
    os.environ["MILLRACE_TEST_LOGS"] = str(LOGS)
    totals, steps = Totals(), Steps(LOGS)
    try:
        if not options.real:
            swift_tests(options, totals, steps)
        if not options.unit and options.filter in SIMULATION:
            simulation(options, totals, steps)
        if options.full and not options.real and options.filter in FUZZING:
            fuzzing(options, totals, steps)
        if not options.unit:
            process_tests(options, totals, steps)
            embedded_tests(options, totals, steps)
    except StepFailed as failure:
        totals.failed.append(str(failure))
    except KeyboardInterrupt:
        totals.failed.append("interrupted")
    finally:
        steps.close()
    return totals.report()


def parse():
    parser = argparse.ArgumentParser()
    for name in ("unit", "real", "full", "warnings-as-errors"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--filter", default="")
    parser.add_argument("--seed")
    return parser.parse_args()


def strict(options):
    return ["-Xswiftc", "-warnings-as-errors"] if options.warnings_as_errors or os.environ.get("CI") else []


def broker_source(options):
    """Where a broker for the Swift suites comes from: "given", "own" or None."""
    if options.unit:
        return None
    if os.environ.get("MILLRACE_TEST_BROKERS"):
        return "given"
    from harness import broker

    return "own" if broker.available() else None


# MARK: - Swift


def swift_tests(options, totals, steps):
    flags = strict(options)
    steps.run("debug build", ["swift", "build", "--build-tests", *flags], BUILD_LIMIT_S)
    events = LOGS / "swift-events.jsonl"
    events.unlink(missing_ok=True)
    command = [
        "swift",
        "test",
        "--skip-build",
        "--disable-xctest",
        *flags,
        "--event-stream-output-path",
        str(events),
        "--event-stream-version",
        "0",
    ]
    if options.filter:
        command += ["--filter", options.filter]
    environment = dict(os.environ)
    source = broker_source(options)
    if source == "own":
        command = [sys.executable, "-B", str(PROCESS_TESTS / "harness" / "broker.py"), *command]
    elif source is None:
        environment.pop("MILLRACE_TEST_BROKERS", None)
    code = steps.run(
        "Swift tests" + (" with a real broker" if source else ""), command, UNIT_LIMIT_S, environment, check=False
    )
    count_swift(events, code, totals, steps)


def count_swift(path, code, totals, steps, place=""):
    """Counts test functions by Swift Testing's event stream; a test that began and never ended is one that crashed."""
    names, outcome, issues = {}, {}, set()
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the last line of a process that crashed
        payload = entry.get("payload", {})
        if entry.get("kind") == "test":
            if payload.get("kind") == "function":
                names[payload["id"]] = re.sub(r"/[^/]+\.swift:\d+:\d+$", "", payload["id"])
            continue
        test, kind = payload.get("testID"), payload.get("kind")
        if (
            kind == "issueRecorded"
            and not payload.get("issue", {}).get("isKnown")
            and payload.get("issue", {}).get("severity") != "warning"
        ):
            issues.add(test)
        elif kind in ("testStarted", "testEnded", "testSkipped"):
            outcome[test] = (kind, " ".join(message.get("text", "") for message in payload.get("messages", [])))
    before = len(totals.failed)
    for test, name in sorted(names.items()):
        name += place
        kind, text = outcome.get(test, (None, ""))
        if kind == "testSkipped":
            reason = re.search(r'skipped: ["“](.*)["”]', text)
            totals.skipped.append((name, reason.group(1) if reason else "disabled"))
        elif kind == "testStarted":
            totals.failed.append(f"{name} (did not end: crash or time-out)")
        elif kind == "testEnded":
            (totals.failed if test in issues else totals.passed).append(name)
    if code and len(totals.failed) == before:
        totals.failed.append(f"swift test ended with {code}")
    if len(totals.failed) > before:
        telling = r"^✘|recorded an issue|\berror:|Fatal error|unexpected signal"
        steps.show_tail("Swift tests" + place, lines=60, pattern=telling)
    print(f"  {len(totals.passed)} passed, {len(totals.failed)} failed, {len(totals.skipped)} skipped", flush=True)


# MARK: - the same suites on the embedded broker

# The Swift suites are those that ask for a broker.
EMBEDDED, EMBEDDED_SWIFT = " on the embedded broker", "KafkaClientTests|RealChangelogTopicTests"


def embedded_tests(options, totals, steps):
    """`millrace broker` in Kafka's place, as built by the steps before."""
    environment = {**os.environ, "MILLRACE_TEST_EMBEDDED": "1"}
    environment.pop("MILLRACE_TEST_BROKERS", None)
    if not options.real and not options.filter:
        events = LOGS / "swift-embedded-events.jsonl"
        events.unlink(missing_ok=True)
        command = [sys.executable, "-B", str(PROCESS_TESTS / "harness" / "broker.py")]
        command += ["swift", "test", "--skip-build", "--disable-xctest", *strict(options), "--filter", EMBEDDED_SWIFT]
        command += ["--event-stream-output-path", str(events), "--event-stream-version", "0"]
        code = steps.run("Swift tests" + EMBEDDED, command, UNIT_LIMIT_S, environment, check=False)
        count_swift(events, code, totals, steps, EMBEDDED)
    run_process_tests(options, totals, steps, environment, EMBEDDED)


# MARK: - the engine on a simulated Kafka


def simulation(options, totals, steps):
    """Thousands of schedules of faults, as one test of each cluster."""
    build = ["swift", "build", "-c", "release", *strict(options), "--product", "millrace-simulate"]
    steps.run("release build of millrace-simulate", build, BUILD_LIMIT_S)
    factor = 10 if options.full else 1
    command = [".build/release/millrace-simulate", "--self-test", "--seeds", "3000"]
    single_test(
        totals, steps, SIMULATED_BREAKAGES, "simulation of deliberate breakages", command, SIMULATION_LIMIT_S
    )
    for cluster, seeds in SIMULATED_SEEDS.items():
        name = f"simulation of {seeds * factor} seeds on the {cluster}"
        command = [".build/release/millrace-simulate", "--cluster", cluster, "--seeds", str(seeds * factor)]
        command += ["--workers", str(os.cpu_count() or 1)]
        single_test(totals, steps, f"{SIMULATION} [{cluster}]", name, command, SIMULATION_LIMIT_S * factor)


def single_test(totals, steps, test, name, command, limit):
    """A step that is one test: its exit code is the verdict."""
    code = steps.run(name, command, limit, check=False)
    (totals.failed if code else totals.passed).append(test)
    if code:
        steps.show_tail(name, lines=60)


# MARK: - the embedded broker under libFuzzer


def fuzzing(options, totals, steps):
    """A short run over all targets: it keeps the harness alive, and finds what is near."""
    command = ["scripts/fuzz", "--runs", str(FUZZED_INPUTS), "--seconds", str(FUZZING_LIMIT_S)]
    name = f"fuzzing with {FUZZED_INPUTS} inputs"
    single_test(totals, steps, FUZZING, name, command, BUILD_LIMIT_S + FUZZING_LIMIT_S)


# MARK: - the built programs on real Kafka


def process_tests(options, totals, steps):
    runner = [sys.executable, "-B", str(PROCESS_TESTS / "run.py"), "--filter", options.filter]
    listed = steps.output([*runner, "--list"]).split()
    if not listed:
        return
    if "MILLRACE_TEST_BINARY" not in os.environ:
        release_build(options, steps)
    run_process_tests(options, totals, steps, dict(os.environ))


def run_process_tests(options, totals, steps, environment, place=""):
    report = LOGS / f"process-tests{place.replace(' ', '-')}.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-B", str(PROCESS_TESTS / "run.py"), "--filter", options.filter]
    command += ["--report", str(report)]
    command += ["--full"] if options.full else []
    command += ["--seed", options.seed] if options.seed else []
    limit, name = FULL_LIMIT_S if options.full else REAL_LIMIT_S, "process tests" + place
    code = steps.run(name, command, limit, environment, check=False, show=True)
    if not report.exists():
        totals.failed.append(f"the {name} ended with {code} before their end")
        return
    result = json.loads(report.read_text())
    totals.passed += [test + place for test in result["passed"]]
    totals.failed += [test + place for test in result["failed"]]
    totals.skipped += [(test + place, reason) for test, reason in result["skipped"]]


def release_build(options, steps):
    """Static Swift runtime where the toolchain has it: the tests then run what is installed and shipped."""
    command = ["swift", "build", "-c", "release", *strict(options)]
    for product in ["millrace", *programs()]:
        code = steps.run(
            f"release build of {product}",
            [*command, "--static-swift-stdlib", "--product", product],
            BUILD_LIMIT_S,
            check=False,
        )
        if code:
            steps.run(f"release build of {product} (shared runtime)", [*command, "--product", product], BUILD_LIMIT_S)


def programs():
    """The examples, and what only tests run: folders with a main.swift, named like their products."""
    folders = (ROOT / "examples", ROOT / "Tests/RealKafka/programs")
    return sorted(path.parent.name for folder in folders for path in folder.glob("*/main.swift"))


if __name__ == "__main__":
    sys.exit(main())
