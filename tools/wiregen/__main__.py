#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wiregen: C++ and reference pages from the message schemas.

usage: wiregen cpp SCHEMAS OUT     write OUT/wire/...; files that would not change are left alone
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import cpp
import schema


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


def main(args):
    if len(args) != 3 or args[0] != "cpp":
        print(__doc__, file=sys.stderr)
        return 2
    try:
        apis = schema.load(args[1])
    except schema.SchemaError as error:
        print(error, file=sys.stderr)
        return 1
    write_cpp(apis, pathlib.Path(args[2]))
    return 0


sys.exit(main(sys.argv[1:]))
