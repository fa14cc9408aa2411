# SPDX-License-Identifier: Apache-2.0
"""docs/reference/cli-json.md put to the test: check(command, document) raises AssertionError where a document is not as the page has it.

A document must have every field of its row, but for those with a `?`, and no other. A bare word is a section of the page whose example
says the fields, or else stands for any value. In `log dump`'s entries only unknown fields are found: which ones there are depends.
"""
import functools
import json
import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/reference/cli-json.md"
ANY, FAILURES = object(), [{"name": ..., "error": ..., "message": ...}]
TOKEN = re.compile(r'\s*(?:"([^"]*)"(\?)?|([a-z_ ]+)|([\[\]{}:,]))')


class Parser:
    """`{"topics": [topic], "failed"}` as {"topics": ["topic"], "failed": ANY}; optional fields have a `?` behind their name."""

    def __init__(self, text):
        self.tokens = [match.groups() for match in TOKEN.finditer(text)]

    def is_next(self, sign):
        return bool(self.tokens) and self.tokens[0][3] == sign

    def take(self, sign):
        if not self.is_next(sign):
            raise ValueError(f"'{sign}' is missing before {self.tokens[:3]}")
        self.tokens.pop(0)

    def shape(self):
        if self.is_next("{"):
            return self.fields()
        if self.is_next("["):
            self.take("[")
            out = [self.shape()]
            self.take("]")
            return out
        _, _, word, sign = self.tokens.pop(0)
        if sign:
            raise ValueError(f"'{sign}' is no shape")
        return word.strip() if word else ANY

    def fields(self):
        out = {}
        self.take("{")
        while not self.is_next("}"):
            name, optional, _, _ = self.tokens.pop(0)
            shape = ANY
            if self.is_next(":"):
                self.take(":")
                shape = self.shape()
            out[name + (optional or "")] = shape
            if not self.is_next("}"):
                self.take(",")
        self.take("}")
        return out


def of_example(value):
    if isinstance(value, dict):
        return {name: of_example(one) for name, one in value.items()}
    return [of_example(value[0])] if isinstance(value, list) and value else ANY


@functools.cache
def page():
    """(text of each command's row, shape of each section with an example, fields of each type of `entry`)"""
    text = PAGE.read_text()
    sections = {}
    for name, body in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.S | re.M):
        if example := re.search(r"```json\n(.*?)```", body, re.S):
            sections[name] = of_example(json.loads(example.group(1)))
    rows = {command: body for names, body in re.findall(r"^\| (`[a-z].*?`(?:, `.*?`)*) \| (.*) \|$", text, re.M)
            for command in re.findall(r"`(.*?)`", names)}
    rows.pop("type")  # The head of that table.
    entries = {name: set(re.findall(r"`(\w+)`", rows.pop(name))) | {"type"} for name in
               ("batch", "record", "segment", "index", "timeindex", "txnindex", "producer", "epoch", "problem")}
    return rows, sections, entries


def shape_of(command):
    rows, _, _ = page()
    if command not in rows:
        raise AssertionError(f"{PAGE.name} has no row for '{command}'")
    if command.startswith("bench "):
        fields, _, more = rows[command].partition("with `--")
        named = {name: ANY for name in re.findall(r"`(\w+)`", fields + more.partition(";")[2])}
        return named | {f"{name}?": ANY for name in re.findall(r"`(\w+)`", more.partition(";")[0])}
    found = re.search(r"`(\{.*?\})`", rows[command]) or re.search(r"(\w+)$", rows[command])
    return Parser(found.group(1)).shape()


def compare(shape, value, place):
    _, sections, _ = page()
    if isinstance(shape, str):
        shape = sections.get(shape, ANY)
    if isinstance(shape, list) and isinstance(value, list):
        for index, one in enumerate(value):
            compare(shape[0], one, f"{place}[{index}]")
    elif isinstance(shape, dict) and isinstance(value, dict):
        known = {name.rstrip("?"): one for name, one in shape.items()}
        for name in shape:
            if not name.endswith("?") and name not in value and f"{name}_base64" not in value:
                raise AssertionError(f"{place} has no '{name}', which {PAGE.name} promises")
        for name, one in value.items():
            if name.removesuffix("_base64") not in known:
                raise AssertionError(f"{place}.{name} is not in {PAGE.name}")
            compare(FAILURES if name == "failed" and isinstance(one, list) else known[name.removesuffix("_base64")], one, f"{place}.{name}")
    elif isinstance(shape, (list, dict)) and value is not None:
        raise AssertionError(f"{place} is {value!r}, {PAGE.name} has {shape!r}")


def check(command, document):
    compare(shape_of(command), document, command)
    return document


def check_entry(entry):
    _, _, entries = page()
    unknown = set(entry) - entries[entry["type"]]
    if unknown:
        raise AssertionError(f"{entry['type']}: {unknown} are not in {PAGE.name}")


def commands():
    """All that the page speaks of."""
    return set(page()[0])


def command_of(arguments):
    """The words that name the command."""
    rows, _, _ = page()
    two = " ".join(arguments[:2])
    return two if two in rows or arguments[0] not in rows else arguments[0]
