# SPDX-License-Identifier: Apache-2.0
"""Writes the reference pages of the protocol and of the records."""
import re

NEVER = "never"


def versions(r):
    return str(r.lo) if r.lo == r.hi else f"{r.lo}-{r.hi}"


def type_of(entry):
    return ("array of " if entry.is_array else "") + entry.type


def rows(struct, depth, seen):
    for entry in struct.fields:
        notes = [entry.doc] if entry.doc else []
        if entry.null:
            notes.append("may be null" if entry.null == entry.versions else f"may be null in {versions(entry.null)}")
        if entry.tag is not None:
            notes.append(f"tag {entry.tag}")
        if entry.default is not None:
            notes.append(f"default {entry.default}")
        shared = entry.struct and entry.struct.name in seen
        if shared:
            notes.append("fields as above")
        text = "; ".join(notes).replace("|", "\\|")
        yield f"| {'&nbsp;&nbsp;' * depth}`{entry.name}` | {type_of(entry)} | {versions(entry.versions)} | {text} |"
        if entry.struct and not shared:
            seen.add(entry.struct.name)
            yield from rows(entry.struct, depth + 1, seen)


def fields(message):
    if not message.root.fields:
        return ["No fields."]
    return ["| field | type | versions | |", "|---|---|---|---|", *rows(message.root, 0, set())]


def records(records):
    out = ["# Records of internal topics", "",
           "Coordinators keep their state as records in `__consumer_offsets` and `__transaction_state`, in Kafka's formats. This",
           "page is made from `schemas/records/` by `tools/wiregen`.", "",
           "A key starts with an int16, the type of the record; a value starts with an int16, its version. What has no type is",
           "not a record of such a topic but the bytes that consumers exchange through their group; it starts with its version."]
    for record in records:
        kind = f"Type {record.key}, versions" if record.key >= 0 else "Versions"
        out += ["", f"## {record.name}", "", f"{kind} {versions(record.versions)}. {record.about}"]
        for message in record.messages:
            out += ["", f"### {message.name}" if len(record.messages) > 1 else "", "", *fields(message)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)) + "\n"


def protocol(apis):
    out = ["# The protocol", "",
           "Leat speaks Kafka's protocol. This page lists every message it knows; it is made from `schemas/` by",
           "`tools/wiregen`, so it cannot disagree with the code. Which of these APIs a broker serves, it says in its answer to",
           "ApiVersions.", "",
           "\"Flexible\" is the first version with compact lengths and tagged fields (KIP-482).", "",
           "| key | API | versions | flexible | |", "|---|---|---|---|---|"]
    for api in apis:
        flexible = NEVER if api.flexible is None else f"{api.flexible}+"
        out.append(f"| {api.key} | [{api.name}](#{api.name.lower()}) | {versions(api.versions)} | {flexible} | {api.about} |")
    for api in apis:
        out += ["", f"## {api.name}", "", f"Key {api.key}, versions {versions(api.versions)}. {api.about}"]
        for message in api.messages:
            out += ["", f"### {message.name}", "", *fields(message)]
    return "\n".join(out) + "\n"

