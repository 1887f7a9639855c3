"""Pipeline files, in the spelling of the configuration reference."""

import json

NUMBERS = "p INT, n BIGINT"


def kafka_pipeline(
    name,
    bootstrap,
    source,
    sink,
    *,
    schema=NUMBERS,
    query="SELECT p, p AS src, n FROM input",
    trigger="asap",
    source_options=None,
    sink_options=None,
    errors=None,
    format="json",
    **top,
):
    """The text of a Kafka to Kafka pipeline. JSON is YAML, so each part is written as JSON on its own line."""
    spec = {"format": format} | ({"schema": schema} if format == "json" else {})
    source_kafka = {"topics": [source], "start": "earliest", **(source_options or {})}
    if bootstrap:
        source_kafka["brokers"] = bootstrap.split(",")
    target = sink if isinstance(sink, dict) else {"kafka": {"topic": sink, **(sink_options or {})}, "format": format}
    parts = {
        "name": name,
        "trigger": trigger,
        **{key.replace("_", "-"): value for key, value in top.items() if value is not None},
        "sources": {"input": {"kafka": source_kafka, **spec}},
        "query": query,
        "sinks": {"out": target},
    }
    if errors:
        parts["errors"] = errors
    return write(parts)


def write(parts):
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in parts.items())
