"""`millrace broker` at the end of what it has: connections, open files, and the disk."""

import errno
import os
import resource
import socket
import struct
import subprocess
import time
from contextlib import contextmanager

from harness.case import BINARY, KafkaCase, say
from harness.node import Node

CONNECTIONS = 10_000  # ServerLimits.connectionsMax
# A connection's objects (its own, its handle's, libuv's and its name's: below 1 KiB together), an entry of up to 64
# bytes in each of four tables that are a third full at worst, and some bytes of a request.
BYTES_EACH = 2 * 1024
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 7, -1)


class EmbeddedLimits(KafkaCase):
    needs_broker = False

    def setUp(self):
        super().setUp()
        self.clients = []
        self.addCleanup(self.close)

    def node(self, *words):
        self.broker = Node(self, *words)
        return self.broker

    def close(self):
        for client in self.clients:
            client.close()
        self.clients = []

    def connect(self, timeout=20):
        client = socket.create_connection(("127.0.0.1", self.broker.port), timeout)
        self.clients.append(client)
        return client

    def served(self, client):
        """The answer to ApiVersions, and what it says."""
        client.sendall(API_VERSIONS)
        self.check_answer(client)

    def check_answer(self, client):
        answer = receive_frame(client)
        self.assertEqual(struct.unpack(">ih", answer[:6]), (7, 0))

    def is_turned_away(self, client):
        try:
            return client.recv(1) == b""
        except ConnectionResetError:
            return True

    @property
    def descriptors(self):
        return len(os.listdir(f"/proc/{self.broker.program.pid}/fd"))

    @property
    def resident(self):
        return self.broker.program.memory_bytes()[0]

    # MARK: connections

    def test_ten_thousand_connections(self):
        """All are served, one more is turned away, and what they took is there for the next ten thousand."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if 0 <= hard < CONNECTIONS * 4 // 3 + 100:
            self.skipTest(f"{CONNECTIONS} connections need more open files than the {hard} that are allowed here")
        with open_files(1024):
            node = self.node()
        self.assertEqual(resource.prlimit(node.program.pid, resource.RLIMIT_NOFILE), (hard, hard))
        with open_files(hard):
            self.fill()
            self.close()
            self.wait("all connections to be gone", lambda: self.descriptors < 50, 30)
            self.served(self.connect())
            self.close()
            self.wait("all connections to be gone", lambda: self.descriptors < 50, 30)
            before = self.resident
            full = self.fill()
            self.assertLess(full, self.full * 1.05, "the second ten thousand took memory of their own")
            say(f"after they had left {before >> 20} MiB, with ten thousand others {full >> 20} MiB")

    def fill(self):
        """Ten thousand: a third is idle, a third has sent a part of a request, a third has an answer."""
        before, began = self.resident, time.monotonic()
        for number in range(CONNECTIONS):
            client = self.connect()
            if number % 3 == 1:
                client.sendall(API_VERSIONS[:9])
            elif number % 3 == 2:
                self.served(client)
        self.wait("all to be there", lambda: self.descriptors >= CONNECTIONS, 20)
        self.full = self.resident
        each = (self.full - before) / CONNECTIONS
        say(f"{CONNECTIONS} connections in {time.monotonic() - began:.1f} s, {each:.0f} bytes each")
        self.assertLess(each, BYTES_EACH)
        for _ in range(50):
            self.assertTrue(self.is_turned_away(self.connect()))
        lines = [line for line in self.broker.program.text().splitlines() if "turned away" in line]
        self.assertIn(f"{CONNECTIONS} connections, the most allowed", lines[0])
        self.assertLess(len(lines), 20)
        for number, client in enumerate(self.clients[:CONNECTIONS]):
            client.sendall(API_VERSIONS[9:] if number % 3 == 1 else API_VERSIONS)
        for client in self.clients[:CONNECTIONS]:
            self.check_answer(client)
        return self.full

    # MARK: open files

    def test_no_more_open_files(self):
        """Who is there is served on; others wait, and come in when there is room. Topics are refused, and then made."""
        node = self.node("--data", self.folder / "data", "--topics", "here")
        first = self.connect()
        self.served(first)
        self.leave_descriptors(3)
        for client in [self.connect() for _ in range(3)]:
            self.served(client)
        late = [self.connect() for _ in range(5)]
        for client in late:
            client.sendall(API_VERSIONS)
        self.wait("a line about it", lambda: "too many open files" in node.program.text(), 10)
        self.assertEqual(self.create_by_use(first, "new"), 56)  # KAFKA_STORAGE_ERROR: to be tried again
        self.assertEqual(self.create_by_use(first, "here"), 0)
        self.served(first)
        for client in self.clients[1:4]:
            client.close()
        for client in late[:3]:
            self.check_answer(client)
        began, cpu = time.monotonic(), node.program.cpu_seconds()
        time.sleep(1)  # a span to measure: waiting for room costs little
        self.assertLess((node.program.cpu_seconds() - cpu) / (time.monotonic() - began), 0.2)
        for client in [first, *late[:3]]:
            client.close()
        for client in late[3:]:
            self.check_answer(client)
        self.assertEqual(self.create_by_use(late[3], "new"), 0)
        self.assertEqual(node.stop(), 0, node.program.tail())

    def test_few_open_files(self):
        """A limit that cannot be raised is told, with what follows from it."""
        words = ["--nofile=256:256", BINARY, "broker", "--listen", "127.0.0.1:0"]
        program = self.start(*words, command=["prlimit"], log="few")
        self.wait("the line", lambda: "the 256 open files" in program.text(), 10, alive=program)
        self.assertIn("At most 192 connections", program.text())
        self.assertEqual(program.terminate(), 0)

    # MARK: the disk

    def test_full_disk(self):
        """Producers get an error, readers are served on, and with room again all goes on where it was."""
        data = self.folder / "data"
        data.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", data]
        if subprocess.run(mount, capture_output=True).returncode:
            self.skipTest("a small disk needs the right to mount one")
        self.addCleanup(subprocess.run, ["umount", "--lazy", data], check=True)
        node = self.node("--data", data, "--topics", "in")
        values = [letter * 100_000 for letter in "abcd"]
        self.assertEqual(self.produce(values[0]), 0)
        fill(data / "filler")
        self.assertNotEqual(self.produce("refused" * 20_000), 0)
        self.assertEqual(self.values(), values[:1])
        (data / "filler").unlink()
        for value in values[1:3]:
            self.assertEqual(self.produce(value), 0)
        self.assertEqual(self.values(), values[:3])
        node.kill()
        node.start()
        self.assertEqual(self.produce(values[3]), 0)
        self.assertEqual(self.values(), values)

    def produce(self, value):
        """kcat's status: 0 where the record was taken within two seconds."""
        words = ["-P", "-t", "in", "-X", "message.timeout.ms=2000"]
        return subprocess.run(
            ["kcat", "-b", self.broker.bootstrap, *words], input=value, capture_output=True, text=True, timeout=60
        ).returncode

    def values(self):
        done = subprocess.run(
            ["kcat", "-b", self.broker.bootstrap, "-C", "-t", "in", "-o", "beginning", "-e", "-q"],
            capture_output=True, text=True, timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    # MARK: -

    def leave_descriptors(self, count):
        """Lowers the broker's limit so that it can open so many files more."""
        taken = {int(name) for name in os.listdir(f"/proc/{self.broker.program.pid}/fd")}
        free = (number for number in range(max(taken) + count + 2) if number not in taken)
        limit = [next(free) for _ in range(count)][-1] + 1
        resource.prlimit(self.broker.program.pid, resource.RLIMIT_NOFILE, (limit, limit))

    def create_by_use(self, client, topic):
        """The error code that Metadata, version 0, has for the topic."""
        name = topic.encode()
        body = struct.pack(">hhihih", 3, 0, 7, -1, 1, len(name)) + name
        client.sendall(struct.pack(">i", len(body)) + body)
        answer = receive_frame(client)
        at = 4 + answer[4:].index(name)  # behind the topic's error code and its name's length
        return struct.unpack(">h", answer[at - 4 : at - 2])[0]


def fill(path):
    """Takes all the room that a disk has left."""
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def receive_frame(client):
    return receive(client, struct.unpack(">i", receive(client, 4))[0])


def receive(client, count):
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            raise ConnectionError(f"the connection ended after {len(data)} of {count} bytes")
        data += more
    return data


@contextmanager
def open_files(soft):
    """This process's limit of open files, which the programs that it starts inherit."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
