"""What the figures must be: every budget of the design, as a ratio inside one run."""

import statistics

LIMITS = {
    "filter": "raw C loop",
    "latency": "no processor",
    "consume": "raw C read",
    "window": "raw C read",
    "state": "raw C read",
    "broker": "Kafka",
}
KEYS = {
    "filter": ("records_per_s", "cpu_s"),
    "latency": ("p50_ms", "p99_ms"),
    "consume": ("records_per_s",),
    "window": ("records_per_s", "cpu_s"),
    "words": ("records_per_s", "cpu_s"),
    "keyed": ("p50_ms", "p99_ms"),
    "state": ("records_per_s", "first_commit_s", "resident_mb"),
    "broker": ("produce_per_s", "fetch_per_s", "p50_ms", "p99_ms", "start_ms"),
}
OURS, STREAMS = "millrace", "Kafka Streams"


class Figures:
    """Results of single runs, grouped; a median is None where something was not run."""

    def __init__(self, results):
        self.results = results

    def values(self, workload, guarantee, engine, key, commit_ms=100):
        return [
            row[key]
            for row in self.results
            if (row["workload"], row["guarantee"], row["engine"], row.get("commit_ms", 100))
            == (workload, guarantee, engine, commit_ms)
            and key in row
        ]

    def median(self, *place, **more):
        values = self.values(*place, **more)
        return statistics.median(values) if values else None

    def median_of(self, values):
        return statistics.median(values)

    def limit(self, workload, guarantee, key):
        return self.median(workload, guarantee, LIMITS.get(workload), key)

    def groups(self):
        seen = dict.fromkeys(
            (row["workload"], row["guarantee"], row.get("commit_ms", 100), row["engine"]) for row in self.results
        )
        for workload, guarantee, commit_ms, engine in seen:
            for key in KEYS[workload]:
                values = self.values(workload, guarantee, engine, key, commit_ms=commit_ms)
                if values:
                    yield (workload, guarantee, commit_ms, engine, key), values


def spread(values):
    return f"{min(values):,.1f}–{max(values):,.1f}"


def budgets(figures):
    """Each budget whose figures are there: what, the figure, the budget, whether it is met."""
    found = []

    def check(what, value, base, factor, at_least):
        if value is None or not base:
            return
        ratio = value / base
        found.append(
            {
                "what": what,
                "figure": f"{ratio:.2f}",
                "budget": f"{'>=' if at_least else '<='} {factor:.2f}",
                "met": ratio >= factor if at_least else ratio <= factor,
            }
        )

    rate = lambda *place: figures.median(*place, "records_per_s")
    ours, loop = rate("filter", "eos", OURS), rate("filter", "eos", LIMITS["filter"])
    check(
        "consume / raw C read", rate("consume", "plain", OURS), rate("consume", "plain", LIMITS["consume"]), 0.85, True
    )
    check("filter exactly-once / raw C loop", ours, loop, 0.85, True)
    check("filter exactly-once / Kafka Streams", ours, rate("filter", "eos", STREAMS), 4.0, True)
    check(
        "filter processor time / raw C loop",
        figures.median("filter", "eos", OURS, "cpu_s"),
        figures.median("filter", "eos", LIMITS["filter"], "cpu_s"),
        2.0,
        False,
    )
    windows = rate("window", "eos", OURS)
    check("windowed count / raw C read", windows, rate("window", "eos", LIMITS["window"]), 0.65, True)
    check("windowed count / Kafka Streams", windows, rate("window", "eos", STREAMS), 4.0, True)
    check("word count / Kafka Streams", rate("words", "eos", OURS), rate("words", "eos", STREAMS), 2.0, True)
    latest = lambda engine: figures.median("keyed", "eos", engine, "p99_ms")
    check("keyed latency p99 / Kafka Streams", latest(OURS), latest(STREAMS), 0.25, False)
    state = lambda engine, key: figures.median("state", "eos", engine, key)
    check("restart with state on this machine / 5 s", state("local restart", "first_commit_s"), 5, 1.0, False)
    check("memory while state is loaded / budget of 256 MB", state("load", "resident_mb"), 256, 1.1, False)
    for backend, share in (("disk", 0.4), ("memory", 0.8)):
        engine = f"restore to {backend}"
        check(f"{engine} / raw C read", state(engine, "records_per_s"), state(engine, "raw_per_s"), share, True)
    node = lambda engine, key: figures.median("broker", "plain", engine, key)
    for engine in ("millrace broker", "millrace broker (memory)"):
        for key, what in (("produce_per_s", "produce"), ("fetch_per_s", "fetch")):
            check(f"{engine}, {what} / Kafka", node(engine, key), node("Kafka", key), 1.0, True)
        check(f"{engine}, p99 / Kafka", node(engine, "p99_ms"), node("Kafka", "p99_ms"), 1.0, False)
        check(f"{engine}, start-up / 100 ms", node(engine, "start_ms"), 100, 1.0, False)
    plain, plain_loop = rate("filter", "alos", OURS), rate("filter", "alos", LIMITS["filter"])
    if all((ours, loop, plain, plain_loop)):
        check("filter exactly-once / at-least-once", ours, plain, min(1.0, loop / plain_loop) - 0.05, True)
    for key, share in (("p50_ms", 1 / 4), ("p99_ms", 1 / 5)):
        mine = figures.median("latency", "eos", OURS, key)
        check(
            f"latency exactly-once {key[:3]} / Kafka Streams at its default",
            mine,
            figures.median("latency", "eos", STREAMS, key),
            share,
            False,
        )
        best = [figures.median("latency", "eos", STREAMS, key, commit_ms=ms) for ms in (5, 10, 20)]
        if None not in best:
            check(
                f"latency exactly-once {key[:3]} / Kafka Streams at its best of 5, 10, 20 ms",
                mine,
                min(best),
                1.0,
                False,
            )
        check(
            f"latency at-least-once {key[:3]} / no processor",
            figures.median("latency", "alos", OURS, key),
            figures.median("latency", "alos", LIMITS["latency"], key),
            2.5,
            False,
        )
    return found
