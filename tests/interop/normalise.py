# SPDX-License-Identifier: Apache-2.0
"""What may differ between two right brokers, and nothing else: the list of replacements before transcripts are compared.

    normalise.py          prints the list (it is also part of each report)
"""
import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Rule:
    name: str
    pattern: str
    replacement: str | None  # None drops the whole line
    why: str


RULES = (
    Rule("member id", r"[\w.-]+-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<member>",
         "the coordinator adds a random UUID to the client id"),
    Rule("uuid", r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>", "random"),
    Rule("topic or cluster id", r"\b((?:[Tt]opic|[Cc]luster) ?[Ii][Dd][:=]? ?)[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])", r"\1<id>",
         "random, given by the broker"),
    Rule("own member id", r"'[A-Za-z0-9_-]{22}=='", "'<member>'",
         "a member of the consumer protocol names itself at random; franz-go commits with its name"),
    Rule("address", r"(?:127\.0\.0\.1|localhost):\d+", "<address>", "each broker gets a free port"),
    Rule("port", r"\b([Pp]ort[:=] ?)\d+", r"\1<port>", "each broker gets a free port"),
    Rule("wall clock", r"\b1(?:7[1-9]|8\d)\d{10}\b", "<now>",
         "milliseconds of the present; the scenario's own times begin with 1700 and stay"),
    Rule("data directory", r"/[^\s\"',]*/(?:leat|kafka)/data\b", "<data>", "each broker gets its own folder"),
    Rule("free space", r"\b((?:total|usable)(?:Bytes|_bytes)[\":= ]+)\d+", r"\1<bytes>", "the disk's, changes while it runs"),
    Rule("own settings", r"^config leat\..*", None, "settings that Apache Kafka has not"),
    Rule("producer id", r"\b([Pp]roducer_?[Ii]d[:=] ?)\d+", r"\1<pid>", "handed out by the broker in blocks"),
)


def line(text):
    """The normalised line, or None when it is dropped."""
    for rule in RULES:
        if rule.replacement is None:
            if re.search(rule.pattern, text):
                return None
        else:
            text = re.sub(rule.pattern, rule.replacement, text)
    return text


def transcript(facts):
    return [text for text in map(line, facts) if text is not None]


def as_markdown():
    rows = ["| what | pattern | becomes | why |", "|---|---|---|---|"]
    for rule in RULES:
        pattern = rule.pattern.replace("|", "\\|")
        becomes = "dropped" if rule.replacement is None else f"`{rule.replacement}`"
        rows.append(f"| {rule.name} | `{pattern}` | {becomes} | {rule.why} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(as_markdown())
