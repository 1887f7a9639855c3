"""The verdict, from readers that share no code with the program: kcat, and Kafka's own console consumer."""

import json
import re
import subprocess
from dataclasses import dataclass

from .broker import kafka_tool

END = b"\x1e\x1e\n"


@dataclass(frozen=True)
class Row:
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict


def kcat_lines(bootstrap, topic, form, committed=True, extra=()):
    """Lines of a topic from its beginning to its end, as kcat prints them in `form`."""
    level = "read_committed" if committed else "read_uncommitted"
    command = [
        "kcat",
        "-b",
        bootstrap,
        "-C",
        "-t",
        topic,
        "-o",
        "beginning",
        "-e",
        "-q",
        "-X",
        f"isolation.level={level}",
        "-X",
        "check.crcs=true",
        *extra,
        "-f",
        form,
    ]
    done = subprocess.run(command, capture_output=True, timeout=300, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise AssertionError(f"kcat could not read {topic}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def values_by_partition(bootstrap, topic, committed=True):
    """{partition: [value, ...] in offset order}, for values without a line break."""
    found = {}
    for line in kcat_lines(bootstrap, topic, "%p %s\n", committed).splitlines():
        partition, _, value = line.partition(b" ")
        found.setdefault(int(partition), []).append(value)
    return found


def count(bootstrap, topic, committed=True):
    return len(kcat_lines(bootstrap, topic, "x\n", committed)) // 2


def rows(bootstrap, topic, committed=True, extra=()):
    """Whole records with their headers, whatever bytes they hold."""
    data, found, at = kcat_lines(bootstrap, topic, "%p %o %K %S %h\x1f%k%s" + END.decode(), committed, extra), [], 0
    while at < len(data):
        split = data.index(b"\x1f", at)
        partition, offset, key_size, size, headers = data[at:split].decode(errors="replace").split(" ", 4)
        start = split + 1
        key_end = start + max(0, int(key_size))
        end = key_end + max(0, int(size))
        if data[end : end + len(END)] != END:
            raise AssertionError(f"cannot read {topic} as kcat prints it at byte {at}")
        found.append(
            Row(
                int(partition),
                int(offset),
                data[start:key_end] if int(key_size) >= 0 else None,
                data[key_end:end] if int(size) >= 0 else None,
                parse_headers(headers),
            )
        )
        at = end + len(END)
    return found


def parse_headers(text):
    """kcat joins headers with commas; ours begin with `millrace.`, so that a comma inside a message does no harm."""
    return dict(pair.split("=", 1) for pair in re.split(r",(?=millrace\.)", text) if "=" in pair)


def console_values(bootstrap, topic, expected):
    """{partition: [value, ...]} as Kafka's Java consumer sees it with read_committed; None where the tool is
    missing.
    """
    tool = kafka_tool("console-consumer")
    if not tool:
        return None
    command = [
        *tool,
        "--bootstrap-server",
        bootstrap,
        "--topic",
        topic,
        "--from-beginning",
        "--isolation-level",
        "read_committed",
        "--timeout-ms",
        "5000",
        "--property",
        "print.partition=true",
        "--max-messages",
        str(expected + 100_000),
    ]
    done = subprocess.run(command, capture_output=True, timeout=300, stdin=subprocess.DEVNULL)
    found = {}
    for line in done.stdout.splitlines():
        if line.startswith(b"Partition:"):
            partition, _, value = line[len(b"Partition:") :].partition(b"\t")
            found.setdefault(int(partition), []).append(value)
    return found


@dataclass
class Verdict:
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    foreign: int = 0
    first: str = ""

    @property
    def clean(self):
        return not (self.lost or self.duplicated or self.reordered or self.foreign)

    def __str__(self):
        return (
            f"{self.lost} lost, {self.duplicated} duplicated, {self.reordered} out of order, "
            f"{self.foreign} that were never sent"
            + (f" (first: {self.first})" if self.first else "")
        )


def judge(found, sent):
    """Compares {partition: [(source partition, number)]} with the counts that were sent: every number once, and
    rising.
    """
    verdict, seen = Verdict(), [bytearray(count) for count in sent]
    for partition, items in sorted(found.items()):
        last = {}
        for source, number in items:
            if source not in range(len(sent)) or number not in range(sent[source]):
                verdict.foreign += 1
                note(verdict, f"unknown {source}/{number} in partition {partition}")
                continue
            if seen[source][number]:
                verdict.duplicated += 1
                note(verdict, f"{source}/{number} a second time")
            elif number < last.get(source, -1):
                verdict.reordered += 1
                note(verdict, f"{source}/{number} after {source}/{last[source]}")
            seen[source][number] = 1
            last[source] = max(number, last.get(source, -1))
    for source, marks in enumerate(seen):
        missing = marks.count(0)
        if missing:
            verdict.lost += missing
            note(verdict, f"{source}/{marks.index(0)} is missing")
    return verdict


def note(verdict, text):
    verdict.first = verdict.first or text


def numbers(values):
    """{partition: [(source, number)]} of output records such as {"src":0,"n":12}."""
    return {
        partition: [(row["src"], row["n"]) for row in map(json.loads, items)] for partition, items in values.items()
    }
