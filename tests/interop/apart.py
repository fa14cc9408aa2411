# SPDX-License-Identifier: Apache-2.0
"""Two answers to one request, side by side: where they part, and how the values there are related."""
import dataclasses
import re

MISSING = "(missing)"  # Of a field that one answer has alone.
NO_ID = "00000000-0000-0000-0000-000000000000"


def shape(value):
    """What must agree of two values that need not: whether there is one, and the sign of a number."""
    if value is None or value == MISSING or isinstance(value, bool):
        return value
    return (value > 0) - (value < 0) if isinstance(value, (int, float)) else bool(value) and value != NO_ID


def alike(kafka, leat):
    """there in both, numbers of one sign"""
    return type(kafka) is type(leat) and shape(kafka) == shape(leat)


def exactly(of_kafka, of_leat):
    def related(kafka, leat):
        return (kafka, leat) == (of_kafka, of_leat)
    related.__doc__ = f"{of_kafka} in Kafka, {of_leat} in Leat"
    return related


@dataclasses.dataclass(frozen=True)
class Difference:
    path: str
    kafka: object
    leat: object

    @property
    def field(self):
        """The name in which they part, of whatever element."""
        return re.sub(r"\[\d+\]", "", self.path).rsplit(".", 1)[-1]

    def __str__(self):
        return f"{self.path}: Kafka {self.kafka!r}, Leat {self.leat!r}"


def differences(kafka, leat, path=""):
    """Where two normalised answers part."""
    if isinstance(kafka, dict) and isinstance(leat, dict):
        for name in sorted(kafka.keys() | leat.keys()):
            yield from differences(kafka.get(name, MISSING), leat.get(name, MISSING), f"{path}.{name}")
    elif isinstance(kafka, list) and isinstance(leat, list) and len(kafka) == len(leat):
        for i, (a, b) in enumerate(zip(kafka, leat)):
            yield from differences(a, b, f"{path}[{i}]")
    elif kafka != leat or type(kafka) is not type(leat):
        yield Difference(path, kafka, leat)


def codes(answer):
    """All error codes of an answer that are not 0."""
    if isinstance(answer, dict):
        own = [v for k, v in answer.items() if k in ("error_code", "partition_error_code") and v]
        return own + [code for v in answer.values() for code in codes(v)]
    return [code for item in answer for code in codes(item)] if isinstance(answer, list) else []
