"""How the program ends: SIGTERM drains, a second Ctrl-C does not wait, a full disk is explained."""

import atexit
import os
import signal
import subprocess
import time

from harness.case import KafkaCase, say
from harness.records import Feeder
from harness.librdkafka import Producer
from harness.records import numbered


class Signals(KafkaCase):
    def test_sigterm_drains(self):
        """Stopped by SIGTERM ten times under load, always 0, with no transaction left open, and nothing lost or
        repeated.
        """
        source, sink, name = self.topic("in"), self.topic("out"), f"term-{self.stamp}"
        file, watch = self.numbers_pipeline(name, source, sink), self.observer(name)
        feeder = Feeder(self.broker.bootstrap, source, watch, backlog=20_000).start()
        self.addCleanup(feeder.close)
        slowest = 0.0
        for turn in range(10):
            before = sum(watch.committed(source, 4) or [0])
            program = self.start("run", file)
            self.wait("a commit", lambda: sum(watch.committed(source, 4) or [0]) > before, 30, alive=program)
            time.sleep(self.random.uniform(0, 0.3))
            began = time.monotonic()
            program.signal(signal.SIGTERM if turn % 2 else signal.SIGINT)
            self.assertEqual(program.wait(30), 0, program.tail())
            slowest = max(slowest, time.monotonic() - began)
            self.assertEqual(watch.ends(sink, 4), watch.ends(sink, 4, stable=True), "a transaction was left open")
        say(f"the slowest of 10 stops took {slowest:.2f} s")
        sent = feeder.finish(at_least=0)
        program = self.start("run", file)
        self.wait_for_lag_zero(watch, source, 60, alive=program)
        # The lag may have been zero before the start: a signal that comes before the program's first
        # line ends any program.
        self.wait("the start", lambda: "Reading" in program.tail(), 30, alive=program)
        self.assertEqual(program.terminate(), 0)
        self.assert_exactly_once(sink, sent, java=False)

    def test_full_disk(self):
        """A state folder on a full disk: the message names the folder and the cause, exit code 1, no crash."""
        if os.geteuid() != 0:
            self.skipTest("mounting a small tmpfs needs root")
        disk = self.folder / "small-disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
            self.skipTest("this machine lets nobody mount a tmpfs")
        for when in (self.addCleanup, atexit.register):
            when(subprocess.run, ["umount", "-l", str(disk)], capture_output=True)
        with open(disk / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        file = self.numbers_pipeline(
            f"disk-{self.stamp}", self.topic("in"), self.topic("out"), state_dir=str(disk / "state")
        )
        program = self.start("run", file)
        self.assertEqual(program.wait(30), 1, program.tail())
        self.assert_says(program, "small-disk", "space", alive=False, seconds=1)


class CtrlC(KafkaCase):
    controls_broker = True

    def test_second_ctrl_c_does_not_wait(self):
        """With the broker stopped the drain cannot end; the second SIGINT ends the process at once, and nothing
        is lost by it.
        """
        source, sink, name = self.topic("in"), self.topic("out"), f"ctrl-c-{self.stamp}"
        file, watch = self.numbers_pipeline(
            name, source, sink, source_options={"max-offsets-per-trigger": 500}
        ), self.observer(name)
        producer = Producer(self.broker.bootstrap)
        for number in range(50_000):
            producer.send(source, number % 4, numbered(number % 4, number // 4))
        producer.flush()
        producer.close()
        program = self.start("run", file)
        self.wait("a commit", lambda: sum(watch.committed(source, 4) or [0]) > 0, 30, alive=program)
        self.broker.pause()
        try:
            program.signal(signal.SIGINT)
            time.sleep(1)
            began, waited = time.monotonic(), program.alive
            program.signal(signal.SIGINT)
            code = program.wait(5)
            say(
                f"ended {time.monotonic() - began:.2f} s after the second signal with {code}"
                + ("" if waited else " (the first was enough)")
            )
            self.assertIn(code, (0, 1, 130), program.tail())
        finally:
            self.broker.resume()
        program = self.start("run", file)
        self.wait_for_lag_zero(watch, source, 90, alive=program)
        self.assertEqual(program.terminate(), 0)
        self.assert_exactly_once(sink, [12_500] * 4, java=False)
