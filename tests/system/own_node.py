# SPDX-License-Identifier: Apache-2.0
"""The tests of the program that was started, with cli_test's commands against a node of their own."""
import signal
import sys
import tempfile
import unittest

import cli_test


def run(leat):
    """Whether they passed; `leat`: the program."""
    cli_test.LEAT = leat
    with tempfile.TemporaryDirectory() as folder:
        server, cli_test.BOOTSTRAP = cli_test.serve(folder)
        try:
            is_good = unittest.main(argv=[sys.argv[0], *sys.argv[2:]], exit=False).result.wasSuccessful()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)
            server.stdout.close()
        if server.returncode != 0:
            print(f"the node ended with {server.returncode}", file=sys.stderr)
        return is_good and server.returncode == 0
