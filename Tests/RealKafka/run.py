#!/usr/bin/env python3
"""Runs the process tests against real Kafka.

    run.py [--filter X] [--seed N] [--full] [--list] [--report FILE]

Each test prints its seed; --seed N repeats its schedule. The programs under test: .build/release/millrace and
DirectKafkaWordCount, or MILLRACE_TEST_BINARY and MILLRACE_TEST_WORDCOUNT. MILLRACE_TEST_KEEP=1 keeps pipelines and logs
of tests that pass, too. MILLRACE_TEST_EMBEDDED=1 runs them on `millrace broker` in Kafka's place.
"""

import argparse
import json
import os
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", default="")
    parser.add_argument("--seed")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    if options.seed:
        os.environ["MILLRACE_TEST_SEED"] = options.seed
    if options.full:
        os.environ["MILLRACE_TEST_FULL"] = "1"
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as Ctrl-C: unittest takes any other exception for a failure
    tests = [
        test
        for test in each(unittest.defaultTestLoader.discover(str(Path(__file__).parent), "test_*.py"))
        if options.filter.lower() in test.id().lower()
    ]
    if options.list:
        print("\n".join(test.id() for test in tests))
        return 0
    return run(tests, options.report)


def run(tests, report):
    from harness import broker, process

    result = Result()
    try:
        unittest.TestSuite(tests).run(result)
    except KeyboardInterrupt:
        result.bad.append("interrupted")
    finally:
        process.end_all()
        broker.stop_all()
    ran = {test.id() for test in tests}
    for test, reason in result.skipped:  # a class that is skipped stands for all its tests
        if "setUpClass" in test.id():
            owner = test.id().split("(")[1].rstrip(")")
            result.skips += [(name, reason) for name in ran if name.startswith(owner + ".")]
        else:
            result.skips.append((test.id(), reason))
    if report:
        report.write_text(json.dumps({"passed": result.good, "failed": result.bad, "skipped": sorted(result.skips)}))
    for name, reason in sorted(result.skips):
        print(f"skipped: {name}: {reason}")
    print(f"{len(result.good)} passed, {len(result.bad)} failed, {len(result.skips)} skipped")
    return 1 if result.bad else 0


def each(suite):
    for item in suite:
        yield from each(item) if isinstance(item, unittest.TestSuite) else [item]


class Result(unittest.TestResult):
    """Prints as it goes: the name, what the test says, the outcome and its time."""

    def __init__(self):
        super().__init__()
        self.good, self.bad, self.skips = [], [], []

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        print(f"▶ {test.id()}", flush=True)

    def addSuccess(self, test):
        self.good.append(test.id())
        self._end("✔", test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._bad(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self._bad(test, error)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self._bad(subtest, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._end("➜ skipped:", test)

    def _bad(self, test, error):
        self.bad.append(test.id())
        print(self._exc_info_to_string(error, test), flush=True)
        self._end("✘", test)

    def _end(self, mark, test):
        print(f"{mark} {test.id()} ({time.monotonic() - getattr(self, 'began', time.monotonic()):.1f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
