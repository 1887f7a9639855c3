"""What the workloads on a broker of their own have in common: raw C's program, and topics."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "RealKafka"))
from harness import broker as brokers  # noqa: E402


def build_limit(peers, folder):
    """Compiles the raw C loops into a folder; returns the program."""
    limit = Path(folder) / "limit"
    subprocess.run(["gcc", "-O2", peers / "limit.c", "-o", limit, "-lrdkafka", "-lpthread"], check=True)
    return limit


def make_topic(bootstrap, name, *settings):
    """A topic of four partitions, with settings such as `cleanup.policy=compact`."""
    words = ["--create", "--topic", name, "--partitions", "4"]
    for setting in settings:
        words += ["--config", setting]
    command = [*brokers.kafka_tool("topics"), "--bootstrap-server", bootstrap, *words]
    subprocess.run(command, check=True, capture_output=True)
