#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents as they are installed: every page, each link to what is installed, and in place of other links their text.

usage: installed_docs.py TO

Makes the folder TO anew: README.md, NOTICE, copyright (the LICENSE), docs/. Links into the sources (tests, examples, CONTRIBUTING.md) lead
nowhere on a machine that has the package alone.
"""
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RENAMED = {"README.md": "README.md", "NOTICE": "NOTICE", "LICENSE": "copyright"}
LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]+)\)")
FENCE = re.compile(r"(^[ ]*```.*?^[ ]*```[^\n]*$)", re.S | re.M)


def pages():
    """Path in the tree -> path below TO."""
    found = {ROOT / name: pathlib.Path(to) for name, to in RENAMED.items()}
    return found | {page: page.relative_to(ROOT) for page in sorted((ROOT / "docs").rglob("*.md"))}


def rewritten(page, installed):
    def replace(match):
        text, (path, hash_, part) = match.group(1), match.group(2).partition("#")
        target = (page.parent / path).resolve()
        # Other sites, places of the same page, and code that only looks like a link.
        if not path or re.match(r"[a-z]+:", path) or not target.exists():
            return match.group(0)
        if target in installed:
            return f"[{text}]({path.removesuffix(target.name) + installed[target].name}{hash_}{part})"
        has_pages = target.is_dir() and any(target in one.parents for one in installed) and target != ROOT
        return match.group(0) if has_pages else text

    # Every second part is a block of code.
    parts = FENCE.split(page.read_text())
    return "".join(part if i % 2 else LINK.sub(replace, part) for i, part in enumerate(parts))


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    to, installed = pathlib.Path(sys.argv[1]), pages()
    shutil.rmtree(to, ignore_errors=True)
    for page, name in installed.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_text(rewritten(page, installed) if page.suffix == ".md" else page.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
