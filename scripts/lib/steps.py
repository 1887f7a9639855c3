"""Steps of a long script: each with a name, a time-out, a log file, and its end shown when it fails."""

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path


class StepFailed(Exception):
    pass


class Steps:
    def __init__(self, logs):
        self.logs, self.running = Path(logs), None
        self.logs.mkdir(parents=True, exist_ok=True)

    def run(self, name, command, limit, environment=None, check=True, show=False):
        """Runs a step in a process group of its own and returns its exit code (124 after a time-out)."""
        print(f"▷ {name} …", flush=True)
        began, log = time.monotonic(), self._log(name)
        with open(log, "wb") as file:
            self.running = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if show else file,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
            try:
                code = self._follow(file, limit) if show else self.running.wait(limit)
            except subprocess.TimeoutExpired:
                print(f"  {name} is stopped after {limit} s", flush=True)
                code = 124
            finally:
                self.close()
        print(
            f"  {'done' if code == 0 else f'ended with {code}'} in {time.monotonic() - began:.0f} s ({log})", flush=True
        )
        if code and check:
            self.show_tail(name)
            raise StepFailed(f"{name} (exit code {code})")
        return code

    def output(self, command):
        return subprocess.run(
            command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
        ).stdout

    def show_tail(self, name, lines=40, pattern=None):
        """The end of a step's log, or its telling lines."""
        text = self._log(name).read_text(errors="replace").splitlines() if self._log(name).exists() else []
        telling = [line for line in text if pattern and re.search(pattern, line)] or text
        print("\n".join(f"  | {line}" for line in telling[-lines:]), flush=True)

    def close(self):
        """Ends the running step's whole group: first with SIGTERM, so that it can stop its broker, then for good."""
        process, self.running = self.running, None
        if not process or process.poll() is not None:
            return
        for number, patience in ((signal.SIGTERM, 60), (signal.SIGKILL, 10)):
            try:
                os.killpg(process.pid, number)
                process.wait(patience)
                return
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue

    def _follow(self, file, limit):
        """Copies the step's output to the log and to the terminal until it ends."""
        deadline = time.monotonic() + limit
        for line in self._lines(deadline):
            file.write(line)
            sys.stdout.buffer.write(b"  " + line)
            sys.stdout.flush()
        return self.running.wait(max(1, deadline - time.monotonic()))

    def _lines(self, deadline):
        stream, rest = self.running.stdout, b""
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while True:
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise subprocess.TimeoutExpired(self.running.args, 0)
                data = os.read(stream.fileno(), 65536)
                if not data:
                    if rest:
                        yield rest + b"\n"
                    return
                *lines, rest = (rest + data).split(b"\n")
                yield from (line + b"\n" for line in lines)

    def _log(self, name):
        return self.logs / (re.sub(r"[^\w]+", "-", name.split(" with a real")[0]).strip("-") + ".log")
