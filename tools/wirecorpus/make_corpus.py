#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/corpus/wire and the seeds of the wire_<api>_fuzz targets with Kafka's own Java classes.

usage: make_corpus.py [--check] [NAME=LIB ...]
With --check nothing is written; it fails when the committed values are not what the jars write (part of `make interop`).
NAME is a Kafka version, LIB the folder of its jars; a version of an API is taken from the first that has it. Without them they are the
versions of tests/interop/kafka_node.py, whose jars it fetches when they are not there.
Exit codes: 0 done, or all is as committed; 1 stale; 2 bad usage; 3 the jars cannot be had
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
sys.path[:0] = [str(root / "tools/wiregen"), str(root / "tests/interop")]

import kafka_node
import schema

SEEDS_MAX_BYTES = 4096


def run_java(version, lib, apis):
    jar = next(pathlib.Path(lib).glob("kafka-clients-*.jar"))
    words = [str(w) for api in apis for m in api.messages
             for w in (m.api.versions.lo, m.api.versions.hi, api.stem, m.part, m.name)]
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["javac", "-cp", jar, "-d", out, here / "WireCorpus.java"], check=True)
        done = subprocess.run(["java", "-cp", f"{out}:{lib}/*", "WireCorpus", *words], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return [line.split(" ", 5) for line in done.stdout.decode().splitlines()]


def merge(makers, apis):
    """stem -> [(part, version, variant, hex, values, maker)], each version from the first maker that has it."""
    entries = {api.stem: [] for api in apis}
    taken = {}
    for maker, lib in makers:
        for stem, part, version, variant, data, values in run_java(maker, lib, apis):
            # Defaults ("-") are one set; a message that an older jar knows better is not mixed in.
            if taken.setdefault((stem, part, version), maker) == maker:
                entries[stem].append((part, version, variant, data, values, maker))
    return entries


def values_text(api, rows):
    lines = [f"# {api.name} as Kafka's Java classes write it; made by tools/wirecorpus.",
             "# part version variant bytes values; version - is a default."]
    maker = None
    for part, version, variant, data, values, made_by in rows:
        if made_by != maker:
            lines.append(f"# Kafka {made_by}")
            maker = made_by
        lines.append(" ".join((part, version, variant, data, values)))
    return "\n".join(lines) + "\n"


def write_seeds(api, rows, corpus):
    folder = corpus / f"wire_{api.stem}_fuzz"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("seed_*"):
        old.unlink()
    for part, version, variant, data, _, _ in rows:
        if version == "-" or variant == "default" and data == "-":
            continue
        versions = next(m.api.versions for m in api.messages if m.part == part)
        pick = 2 * (int(version) - versions.lo) + (part in ("response", "value"))
        body = b"" if data == "-" else bytes.fromhex(data)
        edges = {versions.lo, versions.hi, api.flexible}
        if variant == "full" and len(body) <= SEEDS_MAX_BYTES and int(version) in edges:
            (folder / f"seed_{part}_{version}").write_bytes(bytes([pick]) + body)


def write(apis, entries, corpus):
    shutil.rmtree(corpus / "wire", ignore_errors=True)
    (corpus / "wire").mkdir(parents=True)
    for api in apis:
        (corpus / "wire" / f"{api.stem}.txt").write_text(values_text(api, entries[api.stem]))
        write_seeds(api, entries[api.stem], corpus)


def stale(apis, entries, corpus):
    for api in apis:
        path = corpus / "wire" / f"{api.stem}.txt"
        if not path.exists() or path.read_text() != values_text(api, entries[api.stem]):
            yield path


def main(args):
    check = args[:1] == ["--check"]
    makers = [arg.split("=", 1) for arg in args[check:] if "=" in arg]
    if len(makers) != len(args) - check:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        makers = makers or [(version, kafka_node.jars(version)) for version in kafka_node.VERSIONS]
    except kafka_node.Unavailable as why:
        print(f"make_corpus: {why}", file=sys.stderr)
        return 3
    apis = sum(schema.load(root / "schemas"), [])
    entries = merge(makers, apis)
    corpus = root / "tests/corpus"
    if not check:
        write(apis, entries, corpus)
        return 0
    old = [str(path) for path in stale(apis, entries, corpus)]
    print("\n".join(f"stale: {path}" for path in old) or f"{len(apis)} files are what Kafka writes")
    return 1 if old else 0


sys.exit(main(sys.argv[1:]))
