"""The demo on its own broker: killed and started again it goes on exactly where it was, and no Java is needed."""

import json
import math
import re
import time

from harness.broker import ROOT
from harness.case import KafkaCase, say
from harness.librdkafka import Observer, wait_until
from harness.verify import kcat_lines

KILLS = 4


class Demo(KafkaCase):
    needs_broker = False

    def test_kills_lose_and_repeat_nothing(self):
        environment = {"XDG_STATE_HOME": str(self.folder), "MILLRACE_STATE_DIR": "", "STATE_DIRECTORY": ""}
        pipeline = ROOT / "examples/clicks/pipeline.yaml"
        for number in range(KILLS):
            began = time.monotonic()
            demo = self.start("run", pipeline, "--demo", environment=environment, log=f"demo-{number}")
            self.assert_says(demo, r"\n  out  \{", seconds=20)
            say(f"first output {time.monotonic() - began:.2f} s after the start")
            time.sleep(self.random.uniform(0.2, 1.5))
            demo.kill()
        demo = self.start("run", pipeline, "--demo", "--for", "3s", environment=environment, log="demo-last")
        self.assertEqual(demo.process.wait(30), 0, demo.tail())
        self.judge(self.folder / "millrace" / "clicks-purchases-demo-broker")

    def judge(self, data):
        """All clicks that the group has read, and what an independent reader sees of their results. (The demo goes on
        writing until its pipeline has ended, so the last clicks of a run wait for the next one.)
        """
        broker = self.start("broker", "--data", data, "--listen", "127.0.0.1:0", log="broker")
        self.assert_says(broker, r"broker on 127\.0\.0\.1:\d+")
        bootstrap = re.search(r"broker on (127\.0\.0\.1:\d+)", broker.text())[1]
        watch = Observer(bootstrap, "clicks-purchases")
        self.addCleanup(watch.close)
        read = wait_until("the group's offsets", lambda: watch.committed("clicks", 4), 10)
        expected, bad, clicks = [], 0, 0
        for line in kcat_lines(bootstrap, "clicks", "%p %o %s\n").splitlines():
            partition, offset, line = line.split(b" ", 2)
            if int(offset) >= read[int(partition)]:
                continue
            clicks += 1
            try:
                click = json.loads(line)
                if click["event"] == "purchase" and click["price"] > 0:
                    expected.append((click["user_id"], click["ts"], click["price"] * click["quantity"]))
            except (ValueError, TypeError):
                bad += 1
        found = [json.loads(line) for line in kcat_lines(bootstrap, "clicks-purchases", "%s\n").splitlines()]
        letters = len(kcat_lines(bootstrap, "clicks-dlq", "x\n")) // 2
        say(f"{clicks} clicks, {len(expected)} purchases expected, {len(found)} found; {letters} dead letters")
        self.assertGreater(len(found), 100)
        self.assertEqual(sorted(row[0] for row in expected), sorted(row["user_id"] for row in found))
        self.assertTrue(
            math.isclose(sum(row[2] for row in expected), sum(row["total"] for row in found), abs_tol=0.01 * len(found))
        )
        # What is no click at all, and clicks whose fields have a wrong type: those fail here or are left out as above.
        self.assertGreaterEqual(letters, bad)
        self.assertEqual(broker.terminate(), 0, broker.tail())
