#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wiregen: C++ and reference pages from the message schemas.

usage: wiregen cpp SCHEMAS OUT     write OUT/wire/...; files that would not change are left alone
       wiregen testing SCHEMAS OUT the same for the printers and the catalog that tests use
       wiregen pages SCHEMAS ROOT  write ROOT/docs/reference/protocol.md
       wiregen check SCHEMAS ROOT  fail when this page is not up to date
       wiregen list SCHEMAS        print "LOWEST HIGHEST NAME" of each API
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import cpp
import pages
import schema
import testing


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def write_cpp(apis, out):
    put(out / "wire/api_keys.h", cpp.api_keys(apis))
    put(out / "wire/api_table.inc", cpp.api_table(apis))
    for api in apis:
        put(out / f"wire/messages/{schema.snake(api.name)}.cc", cpp.Source(api).text())
        for message in api.messages:
            put(out / f"wire/messages/{schema.snake(message.name)}.h", cpp.header(message))


def write_testing(apis, out):
    put(out / "wire/testing/catalog.cc", testing.catalog(apis))
    for api in apis:
        put(out / f"wire/testing/{schema.snake(api.name)}.cc", testing.source(api))


def reference(apis, root):
    return {root / "docs/reference/protocol.md": pages.protocol(apis)}


def write_pages(apis, root):
    for path, text in reference(apis, root).items():
        put(path, text)


def check_pages(apis, root):
    stale = [str(path) for path, text in reference(apis, root).items() if not path.exists() or path.read_text() != text]
    if stale:
        raise schema.SchemaError(f"stale: {', '.join(stale)}; run: python3 tools/wiregen pages schemas .")


def print_list(apis):
    for api in apis:
        print(api.versions.lo, api.versions.hi, api.name)


def main(args):
    place = pathlib.Path(args[2]) if len(args) > 2 else None
    commands = {
        "cpp": (3, lambda apis: write_cpp(apis, place)),
        "testing": (3, lambda apis: write_testing(apis, place)),
        "pages": (3, lambda apis: write_pages(apis, place)),
        "check": (3, lambda apis: check_pages(apis, place)),
        "list": (2, print_list),
    }
    count, run = commands.get(args[0] if args else "", (None, None))
    if len(args) != count:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        run(schema.load(args[1]))
    except schema.SchemaError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


sys.exit(main(sys.argv[1:]))
