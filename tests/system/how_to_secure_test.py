#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs docs/how-to/secure-a-node.md line by line in an empty folder.

usage: how_to_secure_test.py LEAT
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

LEAT = ""
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "how-to" / "secure-a-node.md"


def commands():
    """The page's commands; a here-document belongs to the line that begins it."""
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.S):
        lines = iter(block.splitlines())
        for line in lines:
            if "<<'END'" in line:
                for more in lines:
                    line += "\n" + more
                    if more == "END":
                        break
            yield line


class HowTo(unittest.TestCase):
    def test_every_line_does_what_the_page_says(self):
        place = pathlib.Path(tempfile.mkdtemp(prefix="leat-how-to-"))
        tools = place / "tools"
        tools.mkdir()
        (tools / "leat").symlink_to(LEAT)
        work = place / "work"
        work.mkdir()
        env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
        server, output, refused = None, "", 0
        try:
            for line in commands():
                if line.startswith("leat serve"):
                    server = subprocess.Popen(["bash", "-c", "exec " + line], cwd=work, env=env, stdout=subprocess.PIPE, text=True)
                    self.assertIn("leat is ready", server.stdout.readline())
                    continue
                done = subprocess.run(["bash", "-c", line], cwd=work, env=env, capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}\n{done.stderr}")
                if line.startswith("! "):
                    self.assertIn(line.rsplit("  # ", 1)[1], done.stderr, line)
                    refused += 1
                output += done.stdout
            self.assertEqual(4, refused)
            self.assertIn("first order", output)
        finally:
            if server:
                server.send_signal(signal.SIGTERM)
                server.wait(60)
                server.stdout.close()
            shutil.rmtree(place)


if __name__ == "__main__":
    LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
