"""`millrace broker` and clients that know nothing of it: kcat, librdkafka, Kafka's own tools, Python's clients."""

import signal
import socket
import subprocess
import threading
import time
import unittest
from pathlib import Path

from harness import broker as brokers
from harness.case import FULL, KafkaCase, say
from harness.librdkafka import ClientError, Producer
from harness.node import Node
from harness.python import CONFLUENT, python_with
from harness.verify import console_values, values_by_partition

CLIENTS = Path(__file__).parent / "programs" / "clients"


class EmbeddedBroker(KafkaCase):
    needs_broker = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if brokers.embedded():
            raise unittest.SkipTest("it starts its own broker: once is enough")

    def node(self, *words):
        self.broker = Node(self, *words)
        return self.broker

    def kcat(self, *words, text=None):
        done = subprocess.run(
            ["kcat", "-b", self.broker.bootstrap, *words], input=text, capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    # MARK: the process

    def test_start_and_stop(self):
        """Ready within a moment, ends with 0 on either signal, says what it is."""
        times = []
        for number in (signal.SIGTERM, signal.SIGINT):
            began = time.monotonic()
            node = self.node()
            times.append(time.monotonic() - began)
            self.kcat("-L")
            node.program.signal(number)
            self.assertEqual(node.program.wait(10), 0, node.program.tail())
            self.assertRegex(node.program.text(), "one node, no replication, data in memory")
        say(f"started within {min(times) * 1000:.0f} ms")

    def test_used_port_and_folder(self):
        """Status 1 and a line that says what to do; the one that runs is not disturbed."""
        data = self.folder / "data"
        node = self.node("--data", data)
        second = self.start("broker", "--listen", node.bootstrap, log="second")
        self.assertEqual(second.wait(10), 1)
        self.assertIn("choose another port with --listen", second.text())
        third = self.start("broker", "--listen", "127.0.0.1:0", "--data", data, log="third")
        self.assertEqual(third.wait(10), 1)
        self.assertIn("another server uses this folder", third.text())
        foreign = self.folder / "foreign"
        foreign.mkdir()
        (foreign / "meta.properties").write_text("version=1\n")
        fourth = self.start("broker", "--listen", "127.0.0.1:0", "--data", foreign, log="fourth")
        self.assertEqual(fourth.wait(10), 1)
        self.assertIn("use an empty folder", fourth.text())
        self.kcat("-L")

    def test_wrong_options(self):
        for words in (["--listen", "9092"], ["--fsync", "sometimes"], ["--topics", ":1"], ["--partitions", "0"]):
            program = self.start("broker", *words, log=words[0])
            self.assertEqual(program.wait(10), 2)
            self.assertIn(words[0], program.text())

    def test_no_auto_create(self):
        """A topic is there by being used, or only when it is made."""
        self.node()
        self.kcat("-L", "-t", "used")
        self.assertIn('topic "used" with 1 partitions', self.kcat("-L"))
        self.node("--no-auto-create", "--topics", "made:2")
        self.assertIn("Unknown topic or partition", self.kcat("-L", "-t", "used"))
        self.assertNotIn("used", self.kcat("-L"))
        self.assertIn('topic "made" with 2 partitions', self.kcat("-L"))

    def test_hostile_bytes(self):
        """What is not Kafka's protocol ends its own connection alone."""
        node = self.node()
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x04\x7f\xff\x00\x00", b"\xff" * 100):
            with socket.create_connection(("127.0.0.1", node.port), 5) as client:
                client.settimeout(10)
                client.sendall(data)
                try:
                    self.assertEqual(client.recv(100), b"")
                except ConnectionResetError:
                    pass
        self.kcat("-L")
        self.assertIn("connection was closed", node.program.text())

    # MARK: clients

    def test_kcat(self):
        """Records with keys, headers and every compression; a group that goes on where it was."""
        self.node("--topics", "in:4")
        for number, codec in enumerate(("none", "gzip", "snappy", "lz4", "zstd")):
            lines = "".join(f"k{i}:{number * 1000 + i}\n" for i in range(1000))
            self.kcat("-P", "-t", "in", "-K", ":", "-z", codec, "-H", "a=b", text=lines)
        found = values_by_partition(self.broker.bootstrap, "in")
        self.assertEqual(sorted(int(v) for part in found.values() for v in part), list(range(5000)))
        self.assertEqual(self.kcat("-C", "-t", "in", "-o", "beginning", "-e", "-q", "-c", "1", "-f", "%h"), "a=b")
        group = ["-G", "readers", "-X", "auto.offset.reset=earliest", "-e", "-q", "in"]
        self.assertEqual(len(self.kcat(*group).splitlines()), 5000)
        self.kcat("-P", "-t", "in", text="more\n")
        self.assertEqual(self.kcat(*group).splitlines(), ["more"])

    def test_transactions(self):
        """librdkafka's transactions: read_committed sees nothing aborted or open; a predecessor is fenced."""
        self.node("--topics", "out:2")
        first = Producer(self.broker.bootstrap, "tx")
        self.addCleanup(first.close)
        for number in range(20):
            first.begin()
            for partition in range(2):
                first.send("out", partition, b"%d" % number)
            first.abort() if number % 2 else first.commit()
        first.begin()
        first.send("out", 0, b"open")
        first.flush()
        expected = [b"%d" % number for number in range(0, 20, 2)]
        found = values_by_partition(self.broker.bootstrap, "out")
        self.assertEqual(found, {0: expected, 1: expected})
        self.assertEqual(values_by_partition(self.broker.bootstrap, "out", committed=False)[0][-1], b"open")
        watch = self.observer("nobody")
        self.assertEqual(watch.ends("out", 2), [41, 40])
        self.assertEqual(watch.ends("out", 2, stable=True), [40, 40])
        heir = Producer(self.broker.bootstrap, "tx")
        self.addCleanup(heir.close)
        with self.assertRaises(ClientError):
            first.commit()
        self.assertEqual(watch.ends("out", 2, stable=True), [42, 40])
        self.assertEqual(values_by_partition(self.broker.bootstrap, "out"), {0: expected, 1: expected})

    def test_confluent_kafka(self):
        self.run_python_client("with_confluent_kafka.py", CONFLUENT)

    def test_kafka_python(self):
        self.run_python_client("with_kafka_python.py", "kafka-python==2.3.3")

    def run_python_client(self, script, package):
        python = python_with(package)
        if not python:
            self.skipTest(f"pip cannot install {package} here")
        self.node()
        done = subprocess.run(
            [python, CLIENTS / script, self.broker.bootstrap], capture_output=True, text=True, timeout=120
        )
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "done"), done.stderr)

    # MARK: Kafka's own tools

    def test_java_topics_and_configs(self):
        self.needs_java()
        self.node()
        self.create("in", 3, retention_ms=100_000)
        self.assertIn("PartitionCount: 3", self.kafka("topics", "--describe", "--topic", "in"))
        self.kafka("topics", "--alter", "--topic", "in", "--partitions", "5")
        self.assertIn("PartitionCount: 5", self.kafka("topics", "--describe", "--topic", "in"))
        entity = ["--entity-type", "topics", "--entity-name", "in"]
        self.assertIn("retention.ms=100000", self.kafka("configs", "--describe", *entity))
        changes = ["--add-config", "cleanup.policy=compact", "--delete-config", "retention.ms"]
        self.kafka("configs", "--alter", *entity, *changes)
        found = self.kafka("configs", "--describe", *entity)
        self.assertIn("cleanup.policy=compact", found)
        self.assertNotIn("retention.ms=", found)
        with self.assertRaisesRegex(AssertionError, "already exists"):
            self.create("in")
        self.kafka("topics", "--delete", "--topic", "in")
        self.assertEqual(self.kafka("topics", "--list").split(), [])

    def test_java_groups(self):
        self.needs_java()
        self.node("--topics", "in:2")
        self.produce_lines("in", range(100))
        words = ["--topic", "in", "--group", "readers", "--from-beginning", "--timeout-ms", "8000", "--max-messages"]
        found = self.kafka("console-consumer", *words, "100").split()
        self.assertEqual(sorted(int(v) for v in found), list(range(100)))
        group = ["--group", "readers"]
        self.assertEqual(self.kafka("consumer-groups", "--list").split(), ["readers"])
        self.assertEqual(self.lags(), [0, 0])
        self.kafka("consumer-groups", "--reset-offsets", *group, "--topic", "in", "--to-earliest", "--execute")
        self.assertEqual(sum(self.lags()), 100)
        self.kafka("consumer-groups", "--delete-offsets", *group, "--topic", "in")
        self.kafka("consumer-groups", "--delete", *group)
        self.assertEqual(self.kafka("consumer-groups", "--list").split(), [])
        ends = self.kafka("get-offsets", "--topic", "in").split()
        self.assertEqual(sum(int(line.split(":")[2]) for line in ends), 100)
        self.assertEqual(self.kafka("get-offsets", "--topic", "in", "--time", "-2").split(), ["in:0:0", "in:1:0"])

    def test_java_transactions(self):
        self.needs_java()
        self.node("--topics", "out")
        producer = Producer(self.broker.bootstrap, "tx")
        self.addCleanup(producer.close)
        producer.begin()
        producer.send("out", 0, b"x")
        producer.flush()
        self.assertRegex(self.kafka("transactions", "list"), r"tx\s+1\s+\d+\s+Ongoing")
        self.assertRegex(self.kafka("transactions", "describe", "--transactional-id", "tx"), r"Ongoing.*out-0")
        found = self.kafka("transactions", "describe-producers", "--topic", "out", "--partition", "0")
        self.assertEqual(len(found.splitlines()), 2, found)
        producer.commit()
        self.assertRegex(self.kafka("transactions", "list"), r"tx\s+1\s+\d+\s+CompleteCommit")

    def test_java_perf_tools(self):
        self.needs_java()
        self.node("--topics", "load:2")
        count = "200000"
        words = ["--topic", "load", "--num-records", count, "--record-size", "100", "--throughput", "-1"]
        command = [*brokers.kafka_tool("producer-perf-test"), *words, "--producer-props"]
        done = subprocess.run(
            [*command, f"bootstrap.servers={self.broker.bootstrap}", "acks=all"],
            capture_output=True, text=True, timeout=120,
        )
        self.assertIn(f"{count} records sent", done.stdout, done.stderr)
        say(done.stdout.strip().splitlines()[-1][:100])
        found = self.kafka("consumer-perf-test", "--topic", "load", "--messages", count, "--timeout", "20000")
        read = int(found.strip().splitlines()[-1].split(",")[4])
        self.assertGreaterEqual(read, int(count))

    def needs_java(self):
        if not brokers.kafka_tool("topics"):
            self.skipTest("no Kafka tools: set KAFKA_HOME or MILLRACE_KAFKA")

    def produce_lines(self, topic, numbers):
        done = subprocess.run(
            [*brokers.kafka_tool("console-producer"), "--bootstrap-server", self.broker.bootstrap, "--topic", topic],
            input="".join(f"{n}\n" for n in numbers), capture_output=True, text=True, timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def lags(self):
        lines = self.kafka("consumer-groups", "--describe", "--group", "readers").splitlines()
        rows = [line.split() for line in lines if line.startswith("readers")]
        return [int(row[5]) for row in rows]

    # MARK: data on a disk

    def test_restart_keeps_all(self):
        """Topics, records, settings, groups' offsets: after SIGTERM, and after SIGKILL."""
        self.node("--data", self.folder / "data", "--topics", "in:3", "--fsync", "100ms")
        self.kcat("-P", "-t", "in", text="".join(f"{i}\n" for i in range(1000)))
        group = ["-G", "readers", "-X", "auto.offset.reset=earliest", "-e", "-q", "in"]
        self.assertEqual(len(self.kcat(*group).splitlines()), 1000)
        for end in (self.broker.stop, self.broker.kill):
            before = values_by_partition(self.broker.bootstrap, "in")
            end()
            self.broker.start()
            self.assertEqual(values_by_partition(self.broker.bootstrap, "in"), before)
            self.kcat("-P", "-t", "in", text="more\n")
            self.assertEqual(self.kcat(*group).splitlines(), ["more"])

    def test_kill_during_transactions(self):
        """SIGKILL in the midst of transactions: nothing acknowledged is lost, nothing aborted is seen, and a
        transaction is there as a whole or not at all.
        """
        self.node("--data", self.folder / "data", "--topics", "out:4")
        turns = 20 if FULL else 6
        writer = Writer(self.broker.bootstrap)
        self.addCleanup(writer.finish)
        for turn in range(turns):
            before = writer.ended
            self.wait("some transactions", lambda: writer.failure or writer.ended >= before + 5, 60)
            time.sleep(self.random.uniform(0, 0.05))
            self.broker.kill()
            self.broker.start()
        before = writer.ended
        self.wait("some transactions", lambda: writer.failure or writer.ended >= before + 5, 60)
        writer.finish()
        self.assertIsNone(writer.failure)
        counts = f"{len(writer.committed)} committed, {len(writer.aborted)} aborted, {len(writer.unknown)} unknown"
        say(f"{turns} kills; {counts}")
        watch = self.observer("nobody")
        self.wait("no open transaction", lambda: watch.ends("out", 4) == watch.ends("out", 4, stable=True), 90)
        self.check_transactions(values_by_partition(self.broker.bootstrap, "out"), writer)
        java = console_values(self.broker.bootstrap, "out", 4 * (len(writer.committed) + len(writer.unknown)))
        if java is not None:
            self.check_transactions(java, writer)

    def check_transactions(self, found, writer):
        parts = [[int(value) for value in found.get(partition, [])] for partition in range(4)]
        self.assertEqual(parts, [parts[0]] * 4, "a transaction is there in part")
        self.assertEqual(parts[0], sorted(set(parts[0])))
        self.assertEqual(writer.committed - set(parts[0]), set(), "acknowledged transactions are lost")
        self.assertEqual(set(parts[0]) - writer.committed - writer.unknown, set(), "what was aborted is seen")


class Writer:
    """Transactions without a pause, each with its number in all four partitions; every third is aborted."""

    def __init__(self, bootstrap):
        self.bootstrap, self.number, self.ended = bootstrap, 0, 0
        self.committed, self.aborted, self.unknown = set(), set(), set()
        self.failure, self.stopping = None, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        producer = None
        try:
            while not self.stopping:
                producer = producer or Producer(self.bootstrap, "writer", transaction_timeout_ms=20_000)
                try:
                    self.turn(producer)
                except ClientError:
                    producer.close()
                    producer = None
        except Exception as error:
            self.failure = error
        finally:
            if producer:
                producer.close()

    def turn(self, producer):
        number = self.number = self.number + 1
        producer.begin()
        for partition in range(4):
            producer.send("out", partition, b"%d" % number)
        if number % 3 == 0:
            self.aborted.add(number)
            producer.abort()
        else:
            self.unknown.add(number)
            producer.commit()
            self.committed.add(number)
            self.unknown.discard(number)
        self.ended += 1

    def finish(self):
        self.stopping = True
        self.thread.join(120)
