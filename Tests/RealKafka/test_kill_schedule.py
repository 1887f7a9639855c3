"""Exactly once on real Kafka, whatever dies when: the YAML pipeline under a random schedule of kills."""

import os
import statistics

from harness.case import FULL, KafkaCase, say
from harness.records import Feeder
from harness.schedule import Schedule

RECORDS = 200_000
RECOVERY_LIMIT_S = float(os.environ.get("MILLRACE_RECOVERY_LIMIT_S", "2"))


class KillSchedule(KafkaCase):
    controls_broker = True

    def test_pipeline_counts_every_record_once(self):
        source, sink, name = self.topic("numbers-in"), self.topic("numbers-out"), f"numbers-{self.stamp}"
        file = self.numbers_pipeline(name, source, sink, source_options={"max-offsets-per-trigger": 1000})
        watch = self.observer(name)
        feeder = Feeder(self.broker.bootstrap, source, watch).start()
        self.addCleanup(feeder.close)
        schedule = Schedule(
            self, lambda label: self.start("run", file, log=label), watch, source, sink, kills=60 if FULL else 20
        )
        program = schedule.run()
        sent = feeder.finish(at_least=RECORDS)
        self.wait_for_lag_zero(watch, source, 180, alive=program)
        self.assertEqual(program.terminate(), 0, program.tail())
        hidden = self.assert_exactly_once(sink, sent)
        self.assertGreater(
            hidden, 0, "no kill hit an open transaction: the schedule proves nothing about aborted records"
        )
        check_recovery(self, schedule)


def check_recovery(case, schedule, limit_s=RECOVERY_LIMIT_S):
    times = sorted(schedule.recoveries)
    say(f"{schedule.inside} of {len(times)} kills hit an open transaction")
    say(
        f"first commit after a restart, s: median {statistics.median(times):.2f}, "
        f"worst {times[-1]:.2f}, limit {limit_s}"
    )
    case.assertLessEqual(times[-1], limit_s, "first commit after SIGKILL and restart")
