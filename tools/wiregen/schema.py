# SPDX-License-Identifier: Apache-2.0
"""Reads and checks the message schemas under schemas/ (notation: schemas/README.md)."""
from __future__ import annotations

import pathlib
import re
from dataclasses import dataclass, field, replace

SCALARS = {"bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "int64": 8, "float64": 8, "uuid": 16}
VARIABLE = {"string", "bytes", "records"}
RESERVED = set(
    "alignas alignof and asm auto bool break case catch char class concept const constexpr continue default delete do "
    "double else enum explicit export extern false float for friend goto if inline int long mutable namespace new not "
    "operator or private protected public register requires return short signed sizeof static struct switch template "
    "this throw out true try typedef typename union unsigned using virtual void volatile while xor".split())
RESERVED_TYPES = {"Reader", "Writer", "Sizer", "Records", "Bytes", "Uuid", "Result", "ApiKey", "ApiInfo"}


class SchemaError(Exception):
    pass


@dataclass(frozen=True)
class Range:
    """Versions lo..hi, both included."""
    lo: int
    hi: int

    def __contains__(self, version):
        return self.lo <= version <= self.hi

    def covers(self, other):
        return self.lo <= other.lo and other.hi <= self.hi

    def cut(self, other):
        lo, hi = max(self.lo, other.lo), min(self.hi, other.hi)
        return Range(lo, hi) if lo <= hi else None


@dataclass
class Field:
    name: str
    type: str  # a scalar, a variable type or the name of a struct
    is_array: bool
    declared: Range | None  # as written; None means all versions of its struct
    null: Range | None
    tag: int | None
    default: str | None
    doc: str
    where: str
    struct: Struct | None = None
    versions: Range | None = None  # cut to the versions of its struct


@dataclass
class Struct:
    name: str
    where: str
    fields: list[Field] = field(default_factory=list)
    versions: Range | None = None  # in which it can occur


@dataclass
class Message:
    name: str  # ProduceRequest, OffsetCommitKey
    part: str  # request, response, key or value
    api: Api  # its versions are those of this message
    root: Struct
    structs: list[Struct]  # those it holds, each after the ones it uses


@dataclass
class Api:
    """What one file describes: an API, or a record of an internal topic."""
    kind: str  # api or record
    name: str
    path: pathlib.Path
    where: str
    key: int = -1  # of a record its type, -1 when it has no key
    versions: Range | None = None
    flexible: int | None = None
    about: str = ""
    messages: list[Message] = field(default_factory=list)

    @property
    def stem(self):
        """A file name without ending, unique among APIs and records."""
        return ("record_" if self.kind == "record" else "") + snake(self.name)


PARTS = {"api": ("request", "response"), "record": ("key", "value")}


def fail(where, text):
    raise SchemaError(f"{where}: {text}")


def snake(name):
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name).lower()


def parse_range(text, top, where):
    m = re.fullmatch(r"(\d+)(\+|-(\d+))?", text)
    if not m:
        fail(where, f"'{text}' is not a range of versions such as 3, 3+ or 3-5")
    lo = int(m[1])
    hi = lo if not m[2] else top if m[2] == "+" else int(m[3])
    if hi < lo:
        fail(where, f"empty range of versions '{text}'")
    return Range(lo, hi)


class Parser:
    def __init__(self, path):
        self.path = path
        self.api = None
        self.sections = {}

    def lines(self):
        for number, raw in enumerate(self.path.read_text().splitlines(), 1):
            where = f"{self.path}:{number}"
            if "\t" in raw:
                fail(where, "tab; indent with two spaces")
            text = raw.strip()
            if not text or text.startswith("#"):
                continue
            spaces = len(raw) - len(raw.lstrip())
            if spaces % 2:
                fail(where, "indent is not a multiple of two spaces")
            yield where, spaces // 2, text

    def run(self):
        stack = []  # the structs that lines of depth 1, 2, ... belong to
        part = None
        for where, depth, text in self.lines():
            words = text.split()
            if depth == 0:
                stack, part = [], words[0]
                self.start(where, words)
                if part in self.sections:
                    stack = [self.sections[part][0]]
            elif part in PARTS:
                self.attribute(where, depth, words, text)
            elif words[0] == "struct" and depth == 1 and len(words) == 2:
                struct = Struct(words[1], where)
                self.sections[part].append(struct)
                stack = [stack[0], struct]
            else:
                if depth > len(stack):
                    fail(where, "indented below nothing that has fields")
                del stack[depth:]
                entry = self.field(where, text)
                stack[-1].fields.append(entry)
                if entry.type not in SCALARS and entry.type not in VARIABLE:
                    stack.append(Struct(entry.type, where))
                    self.sections[part].append(stack[-1])
        return self.finish()

    def start(self, where, words):
        if words[0] in PARTS and len(words) == 2 and self.api is None:
            self.api = Api(words[0], words[1], self.path, where)
            if snake(words[1]) != self.path.stem:
                fail(where, f"{words[0]} {words[1]} belongs into {snake(words[1])}.wire")
        elif len(words) == 1 and self.api and words[0] in PARTS[self.api.kind] and words[0] not in self.sections:
            if self.api.versions is None:
                fail(where, f"the {self.api.kind} has no 'versions' yet")
            self.sections[words[0]] = [Struct(self.api.name + words[0].capitalize(), where)]
        else:
            fail(where, "expected one 'api NAME', then 'request' and 'response', or one 'record NAME', then 'key' and "
                        f"'value'; found '{' '.join(words)}'")

    def attribute(self, where, depth, words, text):
        name, rest = words[0], text[len(words[0]):].strip()
        if depth != 1 or not rest:
            fail(where, "expected 'key' or 'type', 'versions', 'flexible' or 'about' with a value")
        if name == ("key" if self.api.kind == "api" else "type") and re.fullmatch(r"\d+", rest):
            self.api.key = int(rest)
        elif name == "versions" and "+" not in rest:
            self.api.versions = parse_range(rest, 0, where)
        elif name == "flexible" and re.fullmatch(r"never|\d+\+", rest):
            self.api.flexible = None if rest == "never" else int(rest[:-1])
        elif name == "about":
            self.api.about = rest
        else:
            fail(where, f"unknown or malformed attribute '{text}'")

    def field(self, where, text):
        text, _, doc = text.partition(" -- ")
        words = text.split()
        if len(words) < 2:
            fail(where, "a field needs a name and a type")
        name, kind = words[:2]
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in RESERVED:
            fail(where, f"'{name}' is not a field name (snake_case, not a C++ keyword)")
        is_array = kind.startswith("[]")
        kind = kind.removeprefix("[]")
        if kind not in SCALARS and kind not in VARIABLE and not re.fullmatch(r"[A-Z][A-Za-z0-9]*", kind):
            fail(where, f"unknown type '{kind}'")
        if is_array and kind == "records":
            fail(where, "there are no arrays of records")
        top = self.api.versions.hi
        entry = Field(name, kind, is_array, None, None, None, None, doc.strip(), where)
        at = 2
        if at < len(words) and words[at][0].isdigit():
            entry.declared = parse_range(words[at], top, where)
            at += 1
        while at < len(words):
            at = self.clause(entry, words, at, top)
        return entry

    def clause(self, entry, words, at, top):
        more = words[at + 1] if at + 1 < len(words) else ""
        if words[at] == "null" and entry.null is None:
            if not more[:1].isdigit():
                entry.null = Range(0, top)
                return at + 1
            entry.null = parse_range(more, top, entry.where)
        elif words[at] == "tag" and entry.tag is None and more.isdigit():
            entry.tag = int(more)
        elif words[at] == "=" and entry.default is None and more:
            entry.default = more
        else:
            fail(entry.where, f"cannot read '{' '.join(words[at:])}' (order: name type VERSIONS 'null' 'tag N' '= VALUE')")
        return at + 2

    def finish(self):
        api = self.api
        if api is None:
            fail(f"{self.path}:1", "no 'api' and no 'record'")
        if api.kind == "api" and (api.key < 0 or not api.about or len(self.sections) != 2):
            fail(api.where, "an api needs 'key', 'versions', 'about', 'request' and 'response'")
        if api.kind == "record" and (not api.about or "value" not in self.sections or (api.key < 0) == ("key" in self.sections)):
            fail(api.where, "a record needs 'versions', 'about' and 'value', and both 'type' and 'key' or neither")
        for part, structs in self.sections.items():
            if len(self.sections) == 1:
                structs[0].name = api.name
            # A record's versions are those of its value; the key stays as it is.
            mine = api if part != "key" else replace(api, versions=Range(0, 0), flexible=None)
            api.messages.append(Checker(mine, structs, part).message())
        return api


class Checker:
    """Resolves struct names and versions of one message and refuses what cannot be encoded."""

    def __init__(self, api, structs, part):
        self.api = api
        self.part = part
        self.root = structs[0]
        self.named = {}
        for struct in structs[1:]:
            # A field of a struct type opens a body; the body stays empty when the struct is declared elsewhere.
            known = self.named.get(struct.name)
            if known and known.fields and struct.fields:
                fail(struct.where, f"struct {struct.name} is already defined at {known.where}")
            if not known or struct.fields:
                self.named[struct.name] = struct
        self.done = []

    def message(self):
        self.visit(self.root, self.api.versions, [])
        for struct in self.named.values():
            if struct.versions is None:
                fail(struct.where, f"struct {struct.name} is not used")
        for struct in [*self.done]:
            self.check(struct)
        self.done.remove(self.root)
        return Message(self.root.name, self.part, self.api, self.root, self.done)

    def visit(self, struct, versions, path):
        if struct.name in path:
            fail(struct.where, f"struct {struct.name} contains itself")
        if not struct.fields and struct is not self.root:
            fail(struct.where, f"struct {struct.name} has no fields")
        old = struct.versions
        struct.versions = Range(min(old.lo, versions.lo), max(old.hi, versions.hi)) if old else versions
        for entry in struct.fields:
            entry.versions = entry.declared.cut(struct.versions) if entry.declared else struct.versions
            if entry.versions is None:
                fail(entry.where, f"'{entry.name}' is in none of the versions of {struct.name}")
            if entry.type in SCALARS or entry.type in VARIABLE:
                continue
            if entry.type in RESERVED_TYPES:
                fail(entry.where, f"'{entry.type}' is the name of a C++ type of ours")
            entry.struct = self.named[entry.type]
            self.visit(entry.struct, entry.versions, [*path, struct.name])
        if struct in self.done:
            return
        self.done.append(struct)

    def check(self, struct):
        names, tags = {}, {}
        for entry in struct.fields:
            if entry.name in names:
                fail(entry.where, f"field '{entry.name}' is already at {names[entry.name]}")
            names[entry.name] = entry.where
            if entry.null:
                entry.null = entry.null.cut(entry.versions)
                if entry.null is None:
                    fail(entry.where, "'null' in none of the versions of the field")
                if entry.type in SCALARS and not entry.is_array:
                    fail(entry.where, f"a field of type {entry.type} cannot be null")
            if entry.tag is not None:
                if self.api.flexible is None or entry.versions.lo < self.api.flexible:
                    fail(entry.where, "a tagged field in versions that have no tags")
                if entry.tag in tags:
                    fail(entry.where, f"tag {entry.tag} is already at {tags[entry.tag]}")
                tags[entry.tag] = entry.where
            self.check_default(entry)

    def check_default(self, entry):
        value, kind = entry.default, entry.type
        if value is None:
            return
        if value == "null":
            if entry.null is None:
                fail(entry.where, "default null, but never null")
        elif entry.is_array or kind not in SCALARS or kind == "uuid":
            fail(entry.where, f"no default but null is possible for {kind}")
        elif kind == "bool":
            if value not in ("true", "false"):
                fail(entry.where, "the default of a bool is true or false")
        elif kind == "float64":
            if not re.fullmatch(r"-?\d+(\.\d+)?", value):
                fail(entry.where, f"'{value}' is not a number")
        else:
            bits = 8 * SCALARS[kind]
            lo, hi = (0, 2**bits - 1) if kind.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
            if not re.fullmatch(r"-?\d+", value) or not lo <= int(value) <= hi:
                fail(entry.where, f"'{value}' is not a value of {kind}")


def load(folder):
    """The APIs of `folder` by key, and the records of `folder`/records by name. Raises SchemaError with file:line."""
    records = [Parser(path).run() for path in sorted((pathlib.Path(folder) / "records").glob("*.wire"))]
    paths = sorted(pathlib.Path(folder).glob("*.wire"))
    if not paths:
        raise SchemaError(f"{folder}: no schemas")
    apis = sorted((Parser(path).run() for path in paths), key=lambda api: api.key)
    for one, two in zip(apis, apis[1:]):
        if one.key == two.key:
            fail(two.where, f"key {two.key} is taken by {one.where}")
    for entry in apis + records:
        if (entry.kind == "record") != (entry in records):
            fail(entry.where, "APIs stand in schemas/, records in schemas/records/")
    return apis, records


def min_wire_bytes(entry, api):
    """The least a value of the element type of `entry` occupies, over all versions it occurs in."""
    if entry.type in SCALARS:
        return SCALARS[entry.type]
    if entry.type in VARIABLE:
        return min(var_bytes(entry.type, api, v) for v in span(entry.versions))
    return min(struct_bytes(entry.struct, api, v) for v in span(entry.versions))


def span(versions):
    return range(versions.lo, versions.hi + 1)


def is_flexible(api, version):
    return api.flexible is not None and version >= api.flexible


def var_bytes(kind, api, version):
    return 1 if is_flexible(api, version) else 2 if kind == "string" else 4


def struct_bytes(struct, api, version):
    total = 1 if is_flexible(api, version) else 0
    for entry in struct.fields:
        if version not in entry.versions or entry.tag is not None:
            continue
        if entry.is_array:
            total += 1 if is_flexible(api, version) else 4
        elif entry.type in SCALARS:
            total += SCALARS[entry.type]
        elif entry.type in VARIABLE:
            total += var_bytes(entry.type, api, version)
        elif entry.null and version in entry.null:
            total += 1
        else:
            total += struct_bytes(entry.struct, api, version)
    return total
