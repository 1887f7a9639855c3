"""Real Apache Kafka for a test: started in a folder of its own, killed, restarted, and always stopped.

Two ways to have one: a `broker` tool (../shared/kafka, or the folder that MILLRACE_KAFKA names), or the scripts of a
Kafka distribution in KAFKA_HOME. With MILLRACE_TEST_EMBEDDED=1 it is `millrace broker` instead. `python3 broker.py
COMMAND...` runs a command with MILLRACE_TEST_BROKERS set and stops the broker after it.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
START_LIMIT_S = 120
started = []


def tools_folder():
    """The folder that holds the `broker` and `kafka` tools, or None."""
    named = os.environ.get("MILLRACE_KAFKA")
    folder = Path(named) if named else ROOT.parent / "shared" / "kafka"
    return folder if (folder / "broker").exists() else None


def embedded():
    """Whether the tests run on `millrace broker` instead of Kafka."""
    return os.environ.get("MILLRACE_TEST_EMBEDDED") == "1"


def available():
    return bool(embedded() or tools_folder() or os.environ.get("KAFKA_HOME"))


def kafka_tool(name):
    """The command that starts one of Kafka's own console tools, such as `console-consumer`; None when there is none."""
    if tools_folder():
        return [str(tools_folder() / "kafka"), name]
    script = Path(os.environ.get("KAFKA_HOME", "/nonexistent")) / "bin" / f"kafka-{name}.sh"
    return [str(script)] if script.exists() else None


def free_port():
    """A port P with P, P + 1000 and P + 10000 free: the broker tool uses the two others for TLS and its controller."""
    first = int(os.environ.get("MILLRACE_TEST_PORT", "19200"))
    for port in range(first, first + 160):
        # Three nodes at most: each takes the next ten.
        if all(not answers(other + 10 * node) for other in (port, port + 1000, port + 10_000) for node in range(3)):
            return port
    raise RuntimeError("no free port for a broker")


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class ToolBroker:
    """A node, or a few, run by the `broker` tool."""

    def __init__(self, secure=False, settings=(), nodes=1):
        self.folder = Path(tempfile.mkdtemp(prefix="millrace-kafka-"))
        self.data, self.tool = self.folder / "data", str(tools_folder() / "broker")
        self.port = free_port()
        words = ["--port", str(self.port)] + (["--secure"] if secure else [])
        if nodes > 1:
            words += ["--nodes", str(nodes), "--heap", "512m"]
        for pair in settings:
            words += ["--set", pair]
        try:
            self.bootstrap = self._run("start", *words).split()[-1]
        except BaseException:
            self.close()
            raise

    def kill(self, node=None):
        self._run("kill", *([] if node is None else ["--node", str(node)]))

    def restart(self):
        self._run("restart")

    def pause(self):
        self._run("pause")

    def resume(self):
        self._run("resume")

    def close(self):
        subprocess.run(
            [self.tool, "stop", "--data", str(self.data)], capture_output=True, timeout=60, stdin=subprocess.DEVNULL
        )
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, verb, *words):
        done = subprocess.run(
            [self.tool, verb, "--data", str(self.data), *words],
            capture_output=True,
            text=True,
            timeout=START_LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise RuntimeError(f"broker {verb} failed: {done.stdout}{done.stderr}")
        return done.stdout


class HomeBroker:
    """A node run from KAFKA_HOME (a Kafka 3.7+ distribution, KRaft)."""

    def __init__(self, secure=False, settings=()):
        if secure:
            raise RuntimeError("KAFKA_HOME gives no secure broker")
        self.home, self.folder, self.process = (
            Path(os.environ["KAFKA_HOME"]),
            Path(tempfile.mkdtemp(prefix="millrace-kafka-")),
            None,
        )
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        controller = self.port + 10_000
        pairs = [
            "process.roles=broker,controller",
            "node.id=0",
            f"controller.quorum.voters=0@127.0.0.1:{controller}",
            f"listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "controller.listener.names=CONTROLLER",
            f"log.dirs={self.folder}/log",
            "offsets.topic.replication.factor=1",
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "offsets.topic.num.partitions=4",
            "transaction.state.log.num.partitions=4",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms=500",
            "group.initial.rebalance.delay.ms=0",
            "group.min.session.timeout.ms=1000",
            "auto.create.topics.enable=false",
            *settings,
        ]
        self.properties = self.folder / "server.properties"
        self.properties.write_text("\n".join(pairs) + "\n")
        storage = str(self.home / "bin" / "kafka-storage.sh")
        try:
            name = subprocess.run(
                [storage, "random-uuid"], check=True, capture_output=True, text=True, timeout=60
            ).stdout.split()[-1]
            subprocess.run(
                [storage, "format", "-t", name, "-c", str(self.properties)], check=True, capture_output=True, timeout=60
            )
            self.restart()
        except BaseException:
            self.close()
            raise

    def restart(self):
        self.process = subprocess.Popen(
            [str(self.home / "bin" / "kafka-server-start.sh"), str(self.properties)],
            stdin=subprocess.DEVNULL,
            stdout=open(self.folder / "broker.log", "ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_LIMIT_S
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"the broker of KAFKA_HOME did not start: {(self.folder / 'broker.log').read_text()[-2000:]}"
                )
            time.sleep(0.1)

    def kill(self):
        self._signal(signal.SIGKILL)
        self.process.wait(30)

    def pause(self):
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def close(self):
        if self.process and self.process.poll() is None:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _signal(self, number):
        os.killpg(self.process.pid, number)


class EmbeddedNode:
    """`millrace broker` with its data in a folder, in the place of Kafka."""

    def __init__(self, secure=False, settings=()):
        if secure or settings:
            raise unittest.SkipTest("millrace broker has no TLS, and no settings of Kafka's file")
        self.folder, self.process = Path(tempfile.mkdtemp(prefix="millrace-broker-")), None
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.binary = os.environ.get("MILLRACE_TEST_BINARY", ROOT / ".build/release/millrace")
        self.restart()

    def restart(self):
        words = ["--data", self.folder / "data", "--listen", self.bootstrap, "--no-auto-create"]
        self.process = subprocess.Popen(
            [self.binary, "broker", *words],
            stdin=subprocess.DEVNULL,
            stdout=open(self.folder / "broker.log", "ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_LIMIT_S
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"millrace broker did not start: {(self.folder / 'broker.log').read_text()[-2000:]}")
            time.sleep(0.01)

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        if self.process and self.process.poll() is None:
            self.resume()
            self.process.terminate()
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


class GivenBroker:
    """A broker that the user runs and names in MILLRACE_TEST_BROKERS: it is used, never killed."""

    def __init__(self):
        self.bootstrap = os.environ["MILLRACE_TEST_BROKERS"]

    def close(self):
        pass


def has_nodes():
    """Whether a cluster of several nodes can be started."""
    return tools_folder() is not None and not embedded()


def start(secure=False, settings=(), nodes=1, tries=3):
    """Starts a node, or several (`has_nodes`). Tried again, because a random cluster id that begins with a dash is
    refused by Kafka's own storage tool.
    """
    for left in reversed(range(tries)):
        try:
            if embedded():
                started.append(EmbeddedNode(secure=secure, settings=settings))
                return started[-1]
            words = {"nodes": nodes} if tools_folder() else {}
            started.append((ToolBroker if tools_folder() else HomeBroker)(secure=secure, settings=settings, **words))
            return started[-1]
        except (RuntimeError, subprocess.SubprocessError):
            if not left:
                raise


def stop_all():
    """Stops every node that this process has started; one that is stopped already does no harm."""
    while started:
        started.pop().close()


def main(command):
    """Runs a command with a broker around it; its exit code is the command's."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: sys.exit(143))
    broker = start()
    child = None
    try:
        environment = {**os.environ, "MILLRACE_TEST_BROKERS": broker.bootstrap}
        child = subprocess.Popen(command, env=environment)
        return child.wait()
    except KeyboardInterrupt:
        return 130
    finally:
        if child and child.poll() is None:
            child.terminate()
        broker.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
