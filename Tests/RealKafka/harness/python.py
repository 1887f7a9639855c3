"""Pythons that have a package of pip's, for clients that are not the tests' own."""

import shutil
import subprocess
import sys

from .broker import ROOT

CONFLUENT = "confluent-kafka==2.11.1"


def python_with(package):
    """A Python that has the package, in an environment that is made once; None where pip cannot get it."""
    home = ROOT / ".build" / "test-python" / package.replace("==", "-")
    python = home / "bin" / "python"
    if (home / "ready").exists():
        return python
    shutil.rmtree(home, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", home],
        [python, "-m", "pip", "install", "-q", "--timeout", "10", "--retries", "1", "--only-binary", ":all:", package],
    ):
        if subprocess.run(command, capture_output=True, timeout=300, stdin=subprocess.DEVNULL).returncode:
            return None
    (home / "ready").touch()
    return python
