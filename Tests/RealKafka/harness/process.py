"""The program under test as a process: start, signals, its log, processor time and memory from /proc."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
started = []


def committed_in(text):
    """The sum of the lines "committed N" in the log of a program that writes one for each batch."""
    return sum(int(count) for count in re.findall(r"^committed (\d+)$", text, re.MULTILINE))


def end_all():
    """Kills what is left: an interrupted run skips the clean-up of its test."""
    for program in started:
        if program.alive:
            program.kill()


class Program:
    """One started process. Its output goes to files, so that a full pipe never stops it; `stdout_pipe` gives the
    test the reading end.
    """

    def __init__(self, command, log, environment=None, stdout_pipe=False):
        self.log, self.command = Path(log), [str(word) for word in command]
        self.errors = open(self.log, "ab")
        self.log_start = self.log.stat().st_size
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout_pipe else self.errors,
            stderr=self.errors,
            env={**os.environ, "SWIFT_BACKTRACE": "enable=no", **(environment or {})},
            start_new_session=True,
        )
        started.append(self)

    @property
    def pid(self):
        return self.process.pid

    @property
    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.alive:
            os.kill(self.pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait(30)
        self.errors.close()

    def wait(self, seconds):
        """The exit code; a time-out raises with the end of the log."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.command[0]} still runs after {seconds} s; its log ends:\n{self.tail()}"
            ) from None
        self.errors.close()
        return code

    def terminate(self, seconds=40):
        """SIGTERM, then the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def text(self):
        """All that this process has written to its log."""
        with open(self.log, "rb") as file:
            file.seek(self.log_start)
            return file.read().decode(errors="replace")

    def tail(self, characters=3000):
        return self.text()[-characters:]

    def committed(self):
        return committed_in(self.text())

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_bytes(self):
        """(resident now, highest so far)"""
        lines = dict(
            line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines() if ":" in line
        )
        return tuple(int(lines[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
