#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wiregen: C++ and reference pages from the message schemas.

usage: wiregen cpp SCHEMAS OUT     write OUT/wire/...; files that would not change are left alone
       wiregen testing SCHEMAS OUT the same for the printers and the catalog that tests use
       wiregen pages SCHEMAS ROOT  write ROOT/docs/reference/protocol.md and formats/records.md
       wiregen check SCHEMAS ROOT  fail when these pages are not up to date
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


def write_cpp(apis, records, out):
    put(out / "wire/api_keys.h", cpp.api_keys(apis))
    put(out / "wire/api_table.inc", cpp.api_table(apis))
    for api in apis:
        put(out / f"wire/messages/{schema.snake(api.name)}.cc", cpp.Source(api).text())
        for message in api.messages:
            put(out / f"wire/messages/{schema.snake(message.name)}.h", cpp.header(api, [message]))
    for record in records:
        put(out / f"wire/records/{schema.snake(record.name)}.cc", cpp.Source(record).text())
        put(out / f"wire/records/{schema.snake(record.name)}.h", cpp.header(record, record.messages))


def write_testing(apis, records, out):
    put(out / "wire/testing/catalog.cc", testing.catalog(apis + records))
    for api in apis + records:
        put(out / f"wire/testing/{api.stem}.cc", testing.source(api))


def reference(apis, records, root):
    return {root / "docs/reference/protocol.md": pages.protocol(apis),
            root / "docs/reference/formats/records.md": pages.records(records)}


def write_pages(apis, records, root):
    for path, text in reference(apis, records, root).items():
        put(path, text)


def check_pages(apis, records, root):
    pages_now = reference(apis, records, root).items()
    stale = [str(path) for path, text in pages_now if not path.exists() or path.read_text() != text]
    if stale:
        raise schema.SchemaError(f"stale: {', '.join(stale)}; run: python3 tools/wiregen pages schemas .")


def main(args):
    commands = {"cpp": write_cpp, "testing": write_testing, "pages": write_pages, "check": check_pages}
    if len(args) != 3 or args[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        apis, records = schema.load(args[1])
        commands[args[0]](apis, records, pathlib.Path(args[2]))
    except schema.SchemaError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


sys.exit(main(sys.argv[1:]))
