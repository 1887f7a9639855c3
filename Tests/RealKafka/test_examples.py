"""The examples, each run on real input: sockets, folders, queues, and Kafka for those that keep state."""

import re
import socket
from collections import Counter

from harness import broker
from harness.case import KafkaCase

RELEASE = broker.ROOT / ".build/release"
LINES = ["to be or not to be", "that is the question", "to sleep"]


class LineServer:
    """Sends lines to whoever is connected, as `nc -lk` does."""

    def __init__(self, case):
        self.case, self.listener, self.client = case, socket.create_server(("127.0.0.1", 0)), None
        self.listener.settimeout(30)
        case.addCleanup(self.close)

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def accept(self):
        """Waits for the next program that connects."""
        if self.client:
            self.client.close()
        self.client, _ = self.listener.accept()

    def send(self, lines):
        self.client.sendall("".join(f"{line}\n" for line in lines).encode())

    def close(self):
        for end in (self.client, self.listener):
            if end:
                end.close()


class Examples(KafkaCase):
    def launch(self, example, *words, brokers=False, log="example"):
        self.assertTrue((RELEASE / example).exists(), f"{example} is not built")
        environment = {"MILLRACE_STATE_DIR": str(self.folder / "state"), "MILLRACE_BROKERS": ""}
        if brokers:
            environment["MILLRACE_BROKERS"] = self.broker.bootstrap
        return self.start(
            *words,
            "--query",
            f"{example}-{self.stamp}".lower(),
            "--interval",
            "200ms",
            command=[RELEASE / example],
            log=log,
            environment=environment,
        )

    def printed(self, program):
        """Word counts over all printed batches."""
        found = Counter()
        for word, count in re.findall(r"^\((\w+),(\d+)\)$", program.text(), re.MULTILINE):
            found[word] += int(count)
        return found

    def expect_counts(self, program, lines):
        expected = Counter(word for line in lines for word in line.split())
        self.wait(f"{dict(expected)} in what is printed", lambda: self.printed(program) == expected, 30, alive=program)
        self.assertEqual(program.terminate(), 0, program.tail())

    def count_over_network(self, example):
        server = LineServer(self)
        program = self.launch(example, "127.0.0.1", server.port)
        server.accept()
        server.send(LINES)
        self.expect_counts(program, LINES)

    def test_network_word_count(self):
        self.count_over_network("NetworkWordCount")

    def test_custom_receiver(self):
        self.count_over_network("CustomReceiver")

    def test_folder_word_count(self):
        folder = self.folder / "in"
        folder.mkdir()
        program = self.launch("HdfsWordCount", folder)
        self.assert_says(program, r"Time: \d+ ms")
        for number, line in enumerate(LINES):
            draft = self.folder / f"draft-{number}"
            draft.write_text(line + "\n")
            draft.rename(folder / f"{number}.txt")
        self.expect_counts(program, LINES)

    def test_queue_stream(self):
        program = self.launch("QueueStream")
        self.assertEqual(program.wait(60), 0, program.tail())
        # Thirty batches of the numbers from 1 to 1000, by their last digit.
        self.assertEqual(self.printed(program), Counter({str(digit): 3000 for digit in range(10)}))

    def test_stateful_network_word_count(self):
        """Counts go on over a SIGKILL, from Spark's initial state: hello and world once each."""
        server = LineServer(self)
        arguments = ("StatefulNetworkWordCount", "127.0.0.1", server.port)
        program = self.launch(*arguments, brokers=True)
        server.accept()
        server.send(["hello spark"])
        self.assert_says(program, r"\(hello,2\)", r"\(spark,1\)", seconds=60)
        program.kill()
        again = self.launch(*arguments, brokers=True, log="again")
        server.accept()
        server.send(["hello world"])
        self.assert_says(again, r"\(hello,3\)", r"\(world,2\)", seconds=60)
        self.assertEqual(again.terminate(), 0, again.tail())

    def test_recoverable_network_word_count(self):
        server, prefix = LineServer(self), self.folder / "counts"
        arguments = ("RecoverableNetworkWordCount", "127.0.0.1", server.port, prefix)
        program = self.launch(*arguments, brokers=True)
        server.accept()
        server.send(LINES)
        expected = Counter(word for line in LINES for word in line.split())
        self.wait("the counts", lambda: self.newest(prefix) == expected, 60, alive=program, every=0.1)
        program.kill()
        again = self.launch(*arguments, brokers=True, log="again")
        server.accept()
        server.send(LINES)
        doubled = Counter({word: 2 * count for word, count in expected.items()})
        self.wait("the doubled counts", lambda: self.newest(prefix) == doubled, 60, alive=again, every=0.1)
        self.assertEqual(again.terminate(), 0, again.tail())
        # Every batch has its folder, whole: none was left out while the program was dead.
        times = sorted(int(path.name.split("-")[-1].split(".")[0]) for path in self.folder.glob("counts-*.txt"))
        self.assertEqual(times, list(range(times[0], times[-1] + 200, 200)))
        self.assertTrue(all((path / "_SUCCESS").exists() for path in self.folder.glob("counts-*.txt")))

    def newest(self, prefix):
        folders = sorted(prefix.parent.glob(f"{prefix.name}-*.txt"))
        text = "".join(part.read_text() for part in folders[-1].glob("part-*")) if folders else ""
        return Counter({word: int(count) for word, count in (line.split() for line in text.splitlines())})
