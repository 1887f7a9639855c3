"""`millrace broker` as the program under test."""

import re


class Node:
    """A `millrace broker`: started on a free port, and again on the same one."""

    def __init__(self, case, *words):
        self.case, self.words, self.port, self.program = case, words, 0, None
        self.start()

    def start(self):
        listen = f"127.0.0.1:{self.port}"
        self.program = self.case.start("broker", "--listen", listen, *self.words, log="broker")
        self.case.wait("the broker", lambda: self.address, 20, alive=self.program, every=0.002)
        self.bootstrap, self.port = self.address, int(self.address.split(":")[1])

    @property
    def address(self):
        found = re.search(r"broker on (127\.0\.0\.1:\d+)", self.program.text())
        return found and found[1]

    def kill(self):
        self.program.kill()

    def stop(self):
        return self.program.terminate()
