#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/fixtures/assignors-kafka-<version>.txt: cases of assigning with the results of Kafka's own assignors.

usage: make_cases.py LIB [SEED [CHAINS [FILE]]]
LIB is the folder of a Kafka's jars, as tests/interop/kafka_node.py fetches them. With the seed and the number of the
committed file (the defaults) the file stays as it is; with others, and FILE, it is a longer run of the test:
LEAT_ASSIGNOR_CASES=FILE groups_test --gtest_filter='Assignor.*'
"""
import pathlib
import re
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent


def main(lib, seed="20", chains="12", target=None):
    jar = next(pathlib.Path(lib).glob("kafka-group-coordinator-[0-9]*.jar"))
    version = re.search(r"-([0-9.]+)\.jar$", jar.name).group(1)
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["javac", "-cp", f"{lib}/*", "-d", out, here / "AssignorCases.java"], check=True)
        done = subprocess.run(["java", "-cp", f"{out}:{lib}/*", "AssignorCases", seed, chains], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    target = pathlib.Path(target or here.parent.parent / f"tests/fixtures/assignors-kafka-{version}.txt")
    target.write_text(f"# What Kafka {version}'s assignors give; made by tools/assignorcases with seed {seed}.\n" + done.stdout)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
