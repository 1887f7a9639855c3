"""TLS and SASL: a pipeline with its secret in a file or in the environment; failures are explained, and no
secret is ever printed.
"""

import json

from harness import broker as brokers
from harness.case import NO_BROKER, KafkaCase
from harness.librdkafka import Producer
from harness.pipeline import kafka_pipeline
from harness.records import numbered
from harness.verify import values_by_partition

RECORDS = 1000
SECRET = "alice-secret"


class Secure(KafkaCase):
    needs_broker = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not brokers.tools_folder():
            raise brokers_missing()
        cls.broker = brokers.start(secure=True)
        cls.addClassCleanup(cls.broker.close)
        cls.secure_address = f"127.0.0.1:{cls.broker.port + 1000}"
        cls.authority = cls.broker.data / "secure" / "ca.pem"

    def options(self, **changes):
        return {
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(self.authority),
            "sasl.mechanism": "PLAIN",
            "sasl.username": "alice",
            "sasl.password": "${KAFKA_PASSWORD}",
            **changes,
        }

    def secure_pipeline(self, options, source=None, sink=None):
        self.source, self.sink = source or self.topic("in"), sink or self.topic("out")
        self.name = f"secure-{self.stamp}"
        text = kafka_pipeline(
            self.name,
            self.secure_address,
            self.source,
            self.sink,
            trigger="available-now",
            state_dir=str(self.folder / "state"),
            source_options={"options": options},
            sink_options={"options": options, "partition": "p"},
        )
        return self.pipeline(self.name, text)

    def fill(self):
        producer = Producer(self.broker.bootstrap)
        for number in range(RECORDS // 4):
            for partition in range(4):
                producer.send(self.source, partition, numbered(partition, number))
        producer.flush()
        producer.close()

    def assert_no_secret(self, *secrets):
        for program in self.programs:
            for secret in secrets:
                self.assertNotIn(secret, program.text(), "a secret was printed")

    def assert_copies(self, file, environment=None):
        self.fill()
        for verb in ("lint", "plan"):
            check = self.start(verb, file, environment=environment, log=verb)
            self.assertEqual(check.wait(30), 0, check.tail())
        program = self.start("run", file, environment={"MILLRACE_LOG": "debug", **(environment or {})})
        self.assertEqual(program.wait(60), 0, program.tail())
        self.wait_for_markers(self.sink)
        found = values_by_partition(self.broker.bootstrap, self.sink)
        self.assertEqual(
            {p: [json.loads(v)["n"] for v in values] for p, values in found.items()},
            {p: list(range(RECORDS // 4)) for p in range(4)},
        )
        self.assert_no_secret(SECRET)

    def test_secret_in_the_environment(self):
        self.assert_copies(self.secure_pipeline(self.options()), {"KAFKA_PASSWORD": SECRET})

    def test_secret_in_a_file(self):
        secret = self.folder / "password"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        self.assert_copies(self.secure_pipeline(self.options(**{"sasl.password": {"file": str(secret)}})))

    def test_wrong_password(self):
        program = self.start(
            "run", self.secure_pipeline(self.options()), environment={"KAFKA_PASSWORD": "not-the-password"}
        )
        self.assert_says(program, r"authenticat|credential|password|login")
        self.assert_no_secret("not-the-password")

    def test_untrusted_certificate(self):
        program = self.start(
            "run",
            self.secure_pipeline(self.options(**{"ssl.ca.location": "/etc/ssl/certs/ca-certificates.crt"})),
            environment={"KAFKA_PASSWORD": SECRET},
        )
        self.assert_says(program, r"certificate|ssl\.ca\.location")
        self.assert_no_secret(SECRET)

    def test_scram_is_explained(self):
        """librdkafka before 2.6.1 cannot log in by SCRAM to this broker: the message says so and names ways out."""
        options = self.options(**{"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "bob"})
        program = self.start("run", self.secure_pipeline(options), environment={"KAFKA_PASSWORD": "bob-secret"})
        self.assert_says(program, "SCRAM", "librdkafka", "2.6.1", "PLAIN", "OAUTHBEARER", "certificate")
        self.assert_no_secret("bob-secret")


def brokers_missing():
    import unittest

    return unittest.SkipTest(NO_BROKER)
