"""Files that come into a folder, and a receiver with its write-ahead log, under the kill schedule: every line is in the
text files once and in the output topic once.
"""

import json
import os
import re
import socket
import threading
import time
import zlib
from collections import Counter
from pathlib import Path

from harness import broker
from harness.case import KafkaCase, say
from harness.process import committed_in
from harness.schedule import Schedule
from harness.verify import values_by_partition
from test_state import RECOVERY_LIMIT_S
from test_kill_schedule import check_recovery

PROGRAM = broker.ROOT / ".build/release/CopyLines"
BATCH_FOLDER = re.compile(r"copied-\d+\.txt")


class Watch:
    """Progress as `Schedule` looks at it, where the input is no topic: the lines that the logs call committed."""

    def __init__(self, case, query):
        kafka, self.case = case.observer(query), case
        self.ends, self.members = kafka.ends, kafka.members

    def committed(self, _source, _partitions):
        return [sum(committed_in(path.read_text(errors="replace")) for path in self.case.folder.glob("[ab].log"))]


class FileFeeder:
    """Puts files of numbered lines into a folder, each under its name as a whole."""

    def __init__(self, folder, rate=4_000, lines=400):
        self.folder, self.lines, self.pause, self.sent = folder, lines, lines / rate, 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._feed, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def _feed(self):
        while not self.stopping.wait(self.pause):
            draft = self.folder.parent / "draft"
            draft.write_text("".join(f"line {self.sent + n}\n" for n in range(self.lines)))
            os.rename(draft, self.folder / f"{self.sent:09}.txt")
            self.sent += self.lines

    def finish(self):
        self.stopping.set()
        self.thread.join(30)
        return self.sent


class LineQueue:
    """A server of lines that keeps each until it is acknowledged, and then sends it to whoever connects next.

    A line says its number and how often it was sent before: what was stored but not acknowledged, because the program
    died in between, may rightly be there under two of these names, and none of them twice.
    """

    def __init__(self, window=500, rate=4_000):
        self.window, self.pause = window, window / 5 / rate
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.2)
        self.sent, self.acknowledged, self.open = 0, set(), []
        self.stopping, self.error = threading.Event(), None
        self.thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def start(self):
        self.thread.start()
        return self

    def finish(self):
        """No new lines; waits until every one is acknowledged."""
        self.stopping.set()
        self.thread.join(60)
        if self.error:
            raise self.error
        return self.sent

    def _serve(self):
        try:
            while self.open or not self.stopping.is_set():
                try:
                    client, _ = self.listener.accept()
                except TimeoutError:
                    continue
                with client:
                    self._talk(client)
        except Exception as error:  # the test's thread raises it
            self.error = error

    def _talk(self, client):
        client.settimeout(0.02)
        self.open = [(number, attempt + 1) for number, attempt in self.open]
        flight = []
        try:
            for line in self.open:
                self._send(client, line)
                flight.append(line)
            while flight or not self.stopping.is_set():
                if len(self.open) < self.window and not self.stopping.is_set():
                    for _ in range(self.window // 5):
                        line = (self.sent, 0)
                        self.sent += 1
                        self.open.append(line)
                        self._send(client, line)
                        flight.append(line)
                    time.sleep(self.pause)
                try:
                    thanks = client.recv(65536)
                except TimeoutError:
                    continue
                if not thanks:
                    return
                for line in flight[: len(thanks)]:
                    self.acknowledged.add(line)
                    self.open.remove(line)
                del flight[: len(thanks)]
        except OSError:
            return

    @staticmethod
    def _send(client, line):
        client.sendall(b"line %d.%d\n" % line)


class Sources(KafkaCase):
    controls_broker = True

    def setUp(self):
        super().setUp()
        self.input, self.output = self.folder / "in", self.folder / "out"
        self.input.mkdir()
        self.output.mkdir()

    def test_files_are_copied_once(self):
        feeder = FileFeeder(self.input).start()
        self.addCleanup(feeder.stopping.set)
        found = self.run_schedule("files", feeder)
        expected = {f"line {number}" for number in range(feeder.sent)}
        for place, lines in found.items():
            self.judge(place, lines, expected, expected)

    def test_received_lines_are_copied_once(self):
        server = LineQueue().start()
        self.addCleanup(server.stopping.set)
        found = self.run_schedule(f"127.0.0.1:{server.port}", server)
        self.assertEqual(len(server.acknowledged), server.sent)
        acknowledged = {f"line {number}.{attempt}" for number, attempt in server.acknowledged}
        for place, lines in found.items():
            # What is there beyond them was stored, and the program died before it could say so.
            sent = {line for line in lines if int(line[5:].split(".")[0]) < server.sent}
            self.judge(place, lines, acknowledged, sent)
            say(f"{len(set(lines) - acknowledged)} lines were stored and sent again")

    def run_schedule(self, source, feeder):
        """Returns the lines by the place where they were found."""
        sink, name = self.topic("copied", 1), f"copy-{self.stamp}"

        def launch(label):
            return self.start(
                source,
                self.input,
                self.output / "copied",
                sink,
                "--query",
                name,
                "--interval",
                "100ms",
                command=[PROGRAM],
                log=label,
                environment={
                    "MILLRACE_STATE_DIR": str(self.folder / "state"),
                    "MILLRACE_BROKERS": self.broker.bootstrap,
                },
            )

        # Beside a frozen process nobody can have its folder: its lock says that it may go on writing.
        schedule = Schedule(
            self, launch, Watch(self, name), None, sink, partitions=1, leave_out={"freeze beside another"}
        )
        program = schedule.run()
        feeder.finish()

        def all_written():
            return len(self.lines_of(sink)) >= feeder.sent

        self.wait(f"{feeder.sent} lines in the topic", all_written, 120, alive=program, every=1)
        self.assertEqual(program.terminate(), 0, program.tail())
        self.wait_for_markers(sink, 1)
        found = {"files": self.lines_of_files(), "topic": self.lines_of(sink)}
        check_recovery(self, schedule, RECOVERY_LIMIT_S)
        return found

    def lines_of(self, sink):
        found = values_by_partition(self.broker.bootstrap, sink).values()
        return [value.decode() for values in found for value in values]

    def lines_of_files(self):
        """All lines, and the proof that each folder that is to be seen is whole."""
        lines = []
        for folder in sorted(self.output.iterdir()):
            if folder.name.startswith("."):
                continue
            self.assertRegex(folder.name, BATCH_FOLDER)
            manifest = json.loads((folder / "_SUCCESS").read_text())
            self.assertEqual(
                {path.name for path in folder.iterdir()}, {"_SUCCESS", *(part["name"] for part in manifest["parts"])}
            )
            for part in manifest["parts"]:
                data = Path(folder / part["name"]).read_bytes()
                self.assertEqual((len(data), zlib.crc32(data)), (part["bytes"], part["crc32"]), folder)
                lines += data.decode().splitlines()
        return lines

    def judge(self, place, lines, needed, allowed):
        counts = Counter(lines)
        lost, foreign = needed - counts.keys(), counts.keys() - allowed
        twice = [line for line, count in counts.items() if count > 1]
        say(f"{place}: {len(lines)} lines, {len(lost)} lost, {len(twice)} duplicated, {len(foreign)} never sent")
        self.assertEqual((sorted(lost)[:10], twice[:10], sorted(foreign)[:10]), ([], [], []))
