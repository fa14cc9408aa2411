#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Authentication of `leat serve` by real peers: kcat (librdkafka) and openssl. Tokens and tickets: vouched_login_test.py.

usage: secure_test.py LEAT [TEST...]
"""
import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import garbage  # noqa: E402
from raw_client import MEMORY_FACTOR  # noqa: E402

LEAT = ""
SECRET = "canary-5f1c"  # In no log and in no answer.


def run(*command, stdin=None, env=None, good=True, timeout=60):
    done = subprocess.run([str(c) for c in command], input=stdin, capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})})
    if good and done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Place:
    """A temporary folder, gone at the end."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="leat-secure-"))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


class Server:
    """One `leat serve` with a settings file."""

    def __init__(self, place, settings, env=None):
        self.place, self.env = place, env or {}
        self.file = place / "server.properties"
        self.file.write_text("".join(f"{k}={v}\n" for k, v in settings.items()))

    def start(self):
        self.log = open(self.place / "server.log", "ab")
        self.process = subprocess.Popen(
            [LEAT, "serve", "--data", str(self.place / "data"), "--config", str(self.file), "--http-listen", ""],
            stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL, text=True, env={**os.environ, **self.env})
        line = self.process.stdout.readline()
        self.addresses = dict(re.findall(r" ([A-Z_]+) ([^ ]+:\d+)", line))
        if not self.addresses:
            raise AssertionError(self.text())
        return self

    def text(self):
        return (self.place / "server.log").read_text()

    def sockets(self):
        """How many it has open, those that linger too."""
        folder = f"/proc/{self.process.pid}/fd"
        found = 0
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                found += os.readlink(f"{folder}/{name}").startswith("socket:")
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process.stdout.close()
        self.log.close()
        assert code == 0, f"the broker ended with {code}: {self.text()[-4000:]}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def kcat(address, *arguments, stdin=None, good=True, env=None, **properties):
    options = []
    for name, value in properties.items():
        options += ["-X", f"{name.replace('_', '.')}={value}"]
    return run("kcat", "-b", address, *options, *arguments, stdin=stdin, good=good, env=env, timeout=40)


def sasl(mechanism, user, password, protocol="SASL_PLAINTEXT"):
    return {"security_protocol": protocol, "sasl_mechanism": mechanism, "sasl_username": user, "sasl_password": password}


class Live:
    """A connection of bare bytes that has proved who it is."""

    def __init__(self, address, mechanism, user, password):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.ask(17, 1, struct.pack(">h", len(mechanism)) + mechanism.encode())
        if mechanism == "PLAIN":
            self.step(f"\0{user}\0{password}".encode())
            return
        if mechanism == "OAUTHBEARER":
            self.said = self.step(f"n,,\1auth=Bearer {password}\1\1".encode())
            return
        mac = lambda key, data: hmac.digest(key, data, "sha256")
        bare = f"n={user},r={base64.b64encode(os.urandom(18)).decode()}"
        first = self.step(f"n,,{bare}".encode()).decode()
        said = dict(part.split("=", 1) for part in first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(said["s"]), int(said["i"]))
        key, final = mac(salted, b"Client Key"), f"c=biws,r={said['r']}"
        signature = mac(hashlib.sha256(key).digest(), ",".join((bare, first, final)).encode())
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self.step(f"{final},p={base64.b64encode(proof).decode()}".encode())

    def __del__(self):
        self.socket.close()

    def ask(self, key, version, body):
        frame = struct.pack(">hhih", key, version, 1, -1) + body
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)
        size = struct.unpack(">i", self.read(4))[0]
        return self.read(size)[4:]

    def read(self, size):
        out = b""
        while len(out) < size:
            block = self.socket.recv(size - len(out))
            if not block:
                raise ConnectionResetError
            out += block
        return out

    def step(self, data):
        answer = self.ask(36, 0, struct.pack(">i", len(data)) + data)
        if answer[:2] != b"\0\0":
            raise PermissionError(answer)
        return answer[8:]  # After the error, a message that is null, and a length.

    def ends_within(self, seconds):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def serves(self):
        return len(self.ask(3, 0, struct.pack(">i", 0))) > 0


class Authority:
    """Certificates of our own."""

    def __init__(self, place):
        self.place = place
        self.ca = place / "ca.pem"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=test authority", "-keyout", place / "ca.key", "-out", self.ca)

    def certificate(self, name, subject, password=None):
        """(key file, certificate file)"""
        key, request, out = (self.place / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.place / "ext"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        secrecy = ["-passout", f"pass:{password}"] if password else ["-nodes"]
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", *secrecy, "-subj", subject,
            "-keyout", key, "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.place / "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", extensions, "-out", out)
        return key, out

    def store(self, name, subject, password=None):
        """One PEM file with key and certificate."""
        key, certificate = self.certificate(name, subject, password)
        both = self.place / f"{name}-store.pem"
        both.write_text(key.read_text() + certificate.read_text())
        both.chmod(0o600)
        return both


class Plain(unittest.TestCase):
    SETTINGS = {
        "listeners": "SASL_PLAINTEXT://127.0.0.1:0", "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "super.users": "User:alice;User:admin", "auto.create.topics.enable": "true",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config":
            f'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="{SECRET}" user_token="{SECRET}-own";',
        "delegation.token.secret.key": f"{SECRET}-token",
    }

    def test_plain_takes_the_listed_users_only(self):
        with Place() as place, Server(place, self.SETTINGS) as server:
            at = server.addresses["SASL_PLAINTEXT"]
            kcat(at, "-P", "-t", "t", stdin="hello\n", **sasl("PLAIN", "alice", SECRET))
            got = kcat(at, "-C", "-t", "t", "-e", "-q", **sasl("PLAIN", "alice", SECRET)).stdout
            self.assertEqual(got, "hello\n")
            wrong = kcat(at, "-L", "-m", "3", good=False, **sasl("PLAIN", "alice", "wrong"))
            self.assertIn("Invalid username or password", wrong.stderr)
            self.assertNotEqual(kcat(at, "-L", "-m", "3", good=False).returncode, 0)
            self.assertNotIn(SECRET, server.text())

    def test_first_administrator_is_made_offline_and_makes_the_others(self):
        with Place() as place:
            password = place / "password"
            password.write_text(SECRET + "\n")
            run(LEAT, "user", "add", "admin", "--data", place / "data", "--super", "--password-file", password)
            settings = {k: v for k, v in self.SETTINGS.items() if k != "super.users"}
            with Server(place, settings) as server:
                at = server.addresses["SASL_PLAINTEXT"]
                busy = run(LEAT, "user", "add", "x", "--data", place / "data", "--password-file", password, good=False)
                self.assertEqual(busy.returncode, 1)
                file = place / "admin.properties"
                file.write_text("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config="
                                "org.apache.kafka.common.security.scram.ScramLoginModule required "
                                f'username="admin" password="{SECRET}";\n')
                leat = lambda *a, **k: run(LEAT, *a, "-b", at, "--config", file, **k)
                leat("user", "add", "bob", stdin="pw-of-bob\n")
                leat("acl", "add", "--principal", "User:bob", "--operation", "all", "--topic", "t")
                leat("topic", "create", "t")
                users = json.loads(leat("user", "list", "--output", "json").stdout)["users"]
                self.assertEqual({u["user"] for u in users}, {"admin", "bob"})
                for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                    kcat(at, "-P", "-t", "t", stdin="x\n", **sasl(mechanism, "bob", "pw-of-bob"))
                    bad = kcat(at, "-L", "-m", "3", good=False, **sasl(mechanism, "bob", "pw-of-bop"))
                    nobody = kcat(at, "-L", "-m", "3", good=False, **sasl(mechanism, "nobody", "pw"))
                    for one in (bad, nobody):
                        self.assertIn("invalid credentials with SASL mechanism " + mechanism, one.stderr)
                leat("user", "remove", "bob", "--mechanism", "SCRAM-SHA-256", "--yes")
                gone = kcat(at, "-L", "-m", "3", good=False, **sasl("SCRAM-SHA-256", "bob", "pw-of-bob"))
                self.assertNotEqual(gone.returncode, 0)
                self.token_stands_for_its_owner(leat, at, place)
            with Server(place, settings) as server:  # All of it is durable.
                kcat(server.addresses["SASL_PLAINTEXT"], "-P", "-t", "t", stdin="x\n",
                     **sasl("SCRAM-SHA-512", "bob", "pw-of-bob"))
                self.assertNotIn(SECRET, server.text())

    def test_who_takes_the_name_of_a_removed_super_user_is_not_super(self):
        with Place() as place:
            offline = lambda *a, **k: json.loads(run(LEAT, "user", *a, "--data", place / "data", "--output", "json", **k).stdout)
            supers = lambda: {u["user"]: u["super"] for u in offline("list")["users"]}
            self.assertEqual(offline("add", "root1", "--super", stdin="pw-of-root1\n"), {"user": "root1", "super": True})
            self.assertEqual(offline("add", "bob", stdin="pw-of-bob\n"), {"user": "bob", "super": False})
            self.assertEqual(supers(), {"root1": True, "bob": False})
            settings = {k: v for k, v in self.SETTINGS.items() if k != "super.users"}

            def leat(at, user, password, *words, **more):
                file = place / f"{user}.properties"
                file.write_text("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=ScramLoginModule "
                                f'required username="{user}" password="{password}";\n')
                return run(LEAT, *words, "-b", at, "--config", file, **more)

            with Server(place, settings) as server:
                at = server.addresses["SASL_PLAINTEXT"]
                leat(at, "root1", "pw-of-root1", "topic", "create", "before")
                for operation in ("alter", "describe"):
                    leat(at, "root1", "pw-of-root1", "acl", "add", "--principal", "User:bob", "--operation", operation, "--cluster")
                leat(at, "bob", "pw-of-bob", "user", "remove", "root1", "--yes")
                leat(at, "bob", "pw-of-bob", "user", "add", "root1", stdin="bobs-own\n")
                refused = leat(at, "root1", "bobs-own", "topic", "create", "after", good=False)
                self.assertIn("AUTHORIZATION_FAILED", refused.stderr + refused.stdout)
            self.assertEqual(supers(), {"root1": False, "bob": False})
            with Server(place, settings) as server:
                at = server.addresses["SASL_PLAINTEXT"]
                refused = leat(at, "root1", "bobs-own", "topic", "create", "after", good=False)
                self.assertIn("AUTHORIZATION_FAILED", refused.stderr + refused.stdout)
            self.assertNotIn("did not end cleanly", server.text())
            offline("add", "root1", "--super", stdin="pw\n")
            self.assertEqual(offline("remove", "root1", "--yes"), {"removed": "root1"})
            self.assertEqual(supers(), {"bob": False})

    def token_stands_for_its_owner(self, leat, at, place):
        token = json.loads(leat("token", "create", "--output", "json").stdout)
        self.assertEqual(token["owner"], "User:admin")
        file = place / "token.properties"
        file.write_text("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=ScramLoginModule required "
                        f'username="{token["id"]}" password="{token["hmac"]}" tokenauth="true";\n')
        by_token = lambda *a, **k: run(LEAT, *a, "-b", at, "--config", file, **k)
        by_token("topic", "create", "made-by-token")
        again = by_token("token", "create", good=False)
        self.assertIn("DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", again.stderr)
        key = sasl("PLAIN", "token", f'{token["id"]}.{token["hmac"]}')
        kcat(at, "-L", "-m", "5", **key)
        kcat(at, "-L", "-m", "5", **sasl("PLAIN", "token", f"{SECRET}-own"))  # A user of the settings beside it.
        leat("token", "renew", token["hmac"])
        leat("token", "expire", token["hmac"], "--yes")
        self.assertNotEqual(by_token("topic", "list", good=False).returncode, 0)
        self.assertNotEqual(kcat(at, "-L", "-m", "3", good=False, **key).returncode, 0)

    def test_who_logged_in_and_who_did_not_is_in_the_audit_log(self):
        with Place() as place:
            log = place / "audit.log"
            settings = {**self.SETTINGS, "leat.audit.log": log, "max.connections.per.ip": "3",
                        "connection.failed.authentication.delay.ms": "0"}
            with Server(place, settings) as server:
                at = server.addresses["SASL_PLAINTEXT"]
                quiet = server.sockets()
                first = Live(at, "PLAIN", "alice", SECRET)
                for mechanism in ("PLAIN", "SCRAM-SHA-256"):
                    with self.assertRaises(PermissionError):
                        Live(at, mechanism, "mallory", f"{SECRET}-wrong")
                deadline = time.monotonic() + 30
                while server.sockets() > quiet + 1:  # Connections that were closed linger for a second.
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.02)
                others = [Live(at, "PLAIN", "alice", SECRET) for _ in range(2)]
                with self.assertRaises(ConnectionError):
                    Live(at, "PLAIN", "alice", SECRET)
                self.assertTrue(all(one.serves() for one in (first, *others)))
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            logins = [(o["event"], o["principal"], o["mechanism"], o["name"], o["host"]) for o in lines if o["what"] == "Authenticate"]
            self.assertEqual(logins.count(("allowed", "User:alice", "PLAIN", "alice", "127.0.0.1")), 3)
            for mechanism in ("PLAIN", "SCRAM-SHA-256"):
                self.assertIn(("denied", "User:ANONYMOUS", mechanism, "mallory", "127.0.0.1"), logins)
            self.assertEqual([o["detail"] for o in lines if o["what"] == "Connect"], ["per_ip"])
            self.assertNotIn(SECRET, log.read_text())

    def test_tokens_and_their_renewers_are_bounded(self):
        limits = {"leat.delegation.tokens.per.owner.max": "2", "leat.delegation.tokens.max": "3",
                  "leat.delegation.token.renewers.max": "2", "leat.delegation.token.names.max.bytes": "40"}
        with Place() as place, Server(place, {**self.SETTINGS, **limits}) as server:
            at = server.addresses["SASL_PLAINTEXT"]
            file = place / "alice.properties"
            file.write_text("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config="
                            f'PlainLoginModule required username="alice" password="{SECRET}";\n')

            def create(*renewers, good=True):
                words = [word for renewer in renewers for word in ("--renewer", renewer)]
                return run(LEAT, "token", "create", *words, "-b", at, "--config", file, "--output", "json", good=good)

            for renewers in (("a", "b", "c"), ("a", "b" * 40)):
                self.assertIn("POLICY_VIOLATION", create(*renewers, good=False).stderr)
            first = json.loads(create("a", "b").stdout)
            create()
            self.assertIn("POLICY_VIOLATION", create(good=False).stderr)
            run(LEAT, "token", "expire", first["hmac"], "--yes", "-b", at, "--config", file)
            create()

    def test_what_becomes_of_tokens_is_in_the_audit_log(self):
        with Place() as place:
            log = place / "audit.log"
            with Server(place, {**self.SETTINGS, "leat.audit.log": log, "leat.audit.allowed": "changes",
                                "leat.delegation.tokens.per.owner.max": "1"}) as server:
                at = server.addresses["SASL_PLAINTEXT"]
                file = place / "alice.properties"
                file.write_text("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config="
                                f'PlainLoginModule required username="alice" password="{SECRET}";\n')
                leat = lambda *a, **k: run(LEAT, "token", *a, "-b", at, "--config", file, "--output", "json", **k)
                token = json.loads(leat("create").stdout)
                leat("create", good=False)
                leat("renew", token["hmac"])
                leat("renew", "AAAA", good=False)
                leat("expire", token["hmac"], "--yes")
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            told = [(o["event"], o["what"], o["principal"], o["mechanism"], o["name"], o["detail"])
                    for o in lines if o.get("resource") == "DELEGATION_TOKEN"]
            alice = ("User:alice", "PLAIN")
            self.assertEqual(told, [
                ("allowed", "CreateDelegationToken", *alice, token["id"], "owner User:alice"),
                ("denied", "CreateDelegationToken", *alice, "", "POLICY_VIOLATION"),
                ("allowed", "RenewDelegationToken", *alice, token["id"], "owner User:alice"),
                ("denied", "RenewDelegationToken", *alice, "", "DELEGATION_TOKEN_NOT_FOUND"),
                ("allowed", "ExpireDelegationToken", *alice, token["id"], "owner User:alice")])
            self.assertNotIn(token["hmac"], log.read_text())

    def test_what_ends_a_proof_ends_its_live_sessions(self):
        with Place() as place, Server(place, self.SETTINGS) as server:
            at = server.addresses["SASL_PLAINTEXT"]
            file = place / "alice.properties"
            file.write_text("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config="
                            "org.apache.kafka.common.security.plain.PlainLoginModule required "
                            f'username="alice" password="{SECRET}";\n')
            leat = lambda *a, **k: run(LEAT, *a, "-b", at, "--config", file, **k)
            for name in ("bob", "carol"):
                leat("user", "add", name, stdin=f"pw-of-{name}\n")
            stays = [Live(at, "PLAIN", "alice", SECRET), Live(at, "SCRAM-SHA-256", "carol", "pw-of-carol")]
            bob = Live(at, "SCRAM-SHA-256", "bob", "pw-of-bob")
            self.assertTrue(bob.serves())
            leat("user", "add", "bob", stdin="another\n")
            self.assertTrue(bob.ends_within(2), "his password is another one")
            with self.assertRaises(PermissionError):
                Live(at, "SCRAM-SHA-256", "bob", "pw-of-bob")
            bob = Live(at, "SCRAM-SHA-256", "bob", "another")
            leat("user", "remove", "bob", "--yes")
            self.assertTrue(bob.ends_within(2), "he is no user any more")
            tokens = [json.loads(leat("token", "create", "--output", "json").stdout) for _ in range(3)]
            by_token = [Live(at, "PLAIN", "token", f'{t["id"]}.{t["hmac"]}') for t in tokens]
            self.assertTrue(all(one.serves() for one in by_token))
            leat("token", "expire", tokens[0]["hmac"], "--yes")
            self.assertTrue(by_token[0].ends_within(2), "its token is gone")
            leat("token", "expire", tokens[1]["hmac"], "--period-ms", "1000", "--yes")
            self.assertTrue(by_token[1].ends_within(3), "its token ends in a second")
            self.assertTrue(all(one.serves() for one in (*stays, by_token[2])))

    def test_a_stranger_is_closed_at_the_first_wrong_request(self):
        with Place() as place, Server(place, self.SETTINGS) as server:
            host, port = server.addresses["SASL_PLAINTEXT"].rsplit(":", 1)

            def ask(*frames):
                """What comes back until the end."""
                with socket.create_connection((host, int(port)), timeout=10) as s:
                    for frame in frames:
                        s.sendall(struct.pack(">i", len(frame)) + frame)
                    out = b""
                    with contextlib.suppress(ConnectionResetError):
                        while block := s.recv(65536):
                            out += block
                    return out

            header = lambda key, version: struct.pack(">hhih", key, version, 7, -1)
            metadata = header(3, 0) + struct.pack(">i", 0)
            handshake = lambda name: header(17, 1) + struct.pack(">h", len(name)) + name
            authenticate = lambda data: header(36, 0) + struct.pack(">i", len(data)) + data
            self.assertEqual(ask(metadata), b"")
            self.assertEqual(ask(authenticate(b"\0alice\0" + SECRET.encode())), b"")
            answer = ask(handshake(b"NONE"))
            self.assertEqual(struct.unpack(">h", answer[8:10])[0], 33)
            answer = ask(handshake(b"PLAIN"), metadata)  # In the wrong state.
            self.assertEqual(struct.unpack(">h", answer[8:10])[0], 0)
            answer = ask(handshake(b"PLAIN"), authenticate(b"\0alice\0wrong"), metadata)
            self.assertIn(b"Invalid username or password", answer)
            self.assertNotIn(b"brokers", answer)
            self.assertEqual(ask(b"\xff" * 70_000), b"")  # Larger than a stranger may send.
            raw = ask(header(17, 0) + b"\0\5PLAIN", b"\0alice\0wrong")  # Version 0: no header follows.
            self.assertEqual(len(raw), 4 + 4 + 2 + 4 + sum(2 + len(m) for m in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")))

    def test_what_follows_a_login_without_a_wait_is_read_as_what_it_is(self):
        with Place() as place, Server(place, self.SETTINGS) as server:
            host, port = server.addresses["SASL_PLAINTEXT"].rsplit(":", 1)
            handshake = struct.pack(">hhih", 17, 0, 7, -1) + b"\0\5PLAIN"  # Version 0: messages without a header follow.
            versions = struct.pack(">hhih", 18, 0, 8, -1)

            def ask(*frames):
                """Frames that come back for what is sent in one piece, until none comes for a second or the end."""
                with socket.create_connection((host, int(port)), timeout=10) as s:
                    s.sendall(b"".join(struct.pack(">i", len(frame)) + frame for frame in frames))
                    s.settimeout(1)
                    with contextlib.suppress(ConnectionResetError, TimeoutError), s.makefile("rb") as answers:
                        while size := answers.read(4):
                            yield answers.read(struct.unpack(">i", size)[0])

            answers = list(ask(handshake, b"\0alice\0" + SECRET.encode(), versions, versions))
            self.assertEqual([len(answer) > 6 for answer in answers], [True, False, True, True])
            self.assertEqual(answers[1], b"")
            self.assertEqual([struct.unpack(">ih", answer[:6]) for answer in answers[2:]], [(8, 0)] * 2)
            for messages in ((b"\0alice\0wrong", b"\0alice\0" + SECRET.encode()), (b"\0a\0b",), (b"", b""), (b"\0alice\0" + SECRET.encode(), b"a message too many")):
                answers = list(ask(handshake, *messages, versions))
                self.assertFalse(any(answers[1:]), messages)
            kcat(server.addresses["SASL_PLAINTEXT"], "-L", "-m", "5", **sasl("PLAIN", "alice", SECRET))

    def test_garbage_handshakes_leave_it_alive(self):
        with Place() as place, Server(place, garbage_settings(place)) as server:
            addresses = [server.addresses["SASL_PLAINTEXT"], server.addresses["SASL_SSL"]]
            seen = garbage.weather(server.process.pid, addresses, SECRET, 2_000, seed=20_261)
            # Ten times slower: sanitizers run this, beside other tests. Who hangs is not answered before the storm is over, or never.
            self.assertEqual(garbage.findings(seen, times_slower=10, times_larger=MEMORY_FACTOR), [], seen)
            kcat(addresses[0], "-L", "-m", "5", **sasl("PLAIN", "alice", SECRET))


class Weather(unittest.TestCase):
    """What garbage.py makes of a live client's fate, told by one that it plays the broker for."""
    FINE = {"requests": 100, "p50_ms": 1, "p99_ms": 99, "worst_ms": 999, "grown_kib": 16 * 1024, "files_left": 0}

    @contextlib.contextmanager
    def live(self, answers):
        """A client whose login is answered well, and `answers` requests after it."""
        with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
            def serve():
                peer = stack.enter_context(listener.accept()[0])
                with contextlib.suppress(OSError):
                    for number in itertools.count():
                        if not peer.recv(65536):
                            break
                        if number < 2 + answers:
                            peer.sendall(struct.pack(">iih", 6, 1, 0))
            server = threading.Thread(target=serve)
            server.start()
            live = garbage.Live("127.0.0.1:%d" % listener.getsockname()[1], SECRET)
            live.start()
            yield live
            with contextlib.suppress(OSError):  # Closed already, when it has ended.
                live.client.socket.shutdown(socket.SHUT_RDWR)
            server.join()

    def test_a_client_that_is_never_answered_is_told(self):
        with self.live(answers=2) as live:
            while len(live.times) < 2:
                time.sleep(0.01)
            with self.assertRaisesRegex(AssertionError, "still waits"):
                live.end(patience=0.1)

    def test_a_client_that_is_answered_ends_well(self):
        with self.live(answers=100_000) as live:
            while not live.times:
                time.sleep(0.01)
            self.assertGreater(live.end()["requests"], 0)

    def test_who_waits_long_has_noticed(self):
        self.assertEqual(garbage.findings(self.FINE), [])
        for name, value in (("p99_ms", 101), ("worst_ms", 1_001), ("grown_kib", 16 * 1024 + 1), ("files_left", 1)):
            self.assertEqual(len(garbage.findings(self.FINE | {name: value})), 1, name)
        slow = self.FINE | {"p99_ms": 999, "worst_ms": 9_999, "grown_kib": 64 * 1024}
        self.assertEqual(garbage.findings(slow, times_slower=10, times_larger=4), [])
        self.assertEqual(len(garbage.findings(slow | {"worst_ms": 25_000}, times_slower=10, times_larger=4)), 1)


def garbage_settings(place):
    """Of a node with a bare and a TLS listener that asks nobody to wait."""
    return {**Plain.SETTINGS, "listeners": "SASL_PLAINTEXT://127.0.0.1:0,SASL_SSL://127.0.0.1:0",
            "connection.failed.authentication.delay.ms": "0",
            "ssl.keystore.location": str(Authority(place).store("server", "/CN=localhost"))}


class Exposure(unittest.TestCase):
    def refused(self, place, **settings):
        file = place / "s.properties"
        file.write_text("".join(f"{k.replace('_', '.')}={v}\n" for k, v in settings.items()))
        return run(LEAT, "serve", "--data", place / "data", "--config", file, "--http-listen", "", good=False)

    def test_open_listeners_start_on_loopback_only(self):
        with Place() as place:
            for settings in ({"listeners": "PLAINTEXT://0.0.0.0:0"},
                             {"listeners": "SASL_PLAINTEXT://0.0.0.0:0", "sasl_enabled_mechanisms": "SCRAM-SHA-256"}):
                done = self.refused(place, **settings)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("--insecure-allow-unauthenticated-network", done.stderr)

    def test_jks_is_refused_with_the_way_out(self):
        with Place() as place:
            store = place / "store.jks"
            store.write_bytes(b"\xfe\xed\xfe\xed" + bytes(60))
            store.chmod(0o600)
            done = self.refused(place, listeners="SSL://127.0.0.1:0", ssl_keystore_location=store)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("keytool -importkeystore", done.stderr)

    def test_a_key_that_others_can_read_is_refused(self):
        with Place() as place:
            store = Authority(place).store("server", "/CN=localhost")
            store.chmod(0o644)
            done = self.refused(place, listeners="SSL://127.0.0.1:0", ssl_keystore_location=store)
            self.assertIn("chmod 600", done.stderr)


class Tls(unittest.TestCase):
    def settings(self, store, **more):
        return {"listeners": "SSL://localhost:0", "auto.create.topics.enable": "true", "super.users": "User:alice;User:ANONYMOUS",
                "listener.name.ssl.ssl.keystore.location": store, "leat.tls.reload.interval.ms": "200", **more}

    def test_records_go_over_tls_and_come_back_whole(self):
        with Place() as place:
            authority = Authority(place)
            log = place / "audit.log"
            with Server(place, self.settings(authority.store("server", "/CN=localhost"), **{"leat.audit.log": log})) as server:
                at = server.addresses["SSL"].replace("127.0.0.1", "localhost")
                lines = "".join(f"{i:0900d}\n" for i in range(3_000))
                kcat(at, "-P", "-t", "t", stdin=lines, security_protocol="SSL", ssl_ca_location=authority.ca)
                got = kcat(at, "-C", "-t", "t", "-e", "-q", security_protocol="SSL", ssl_ca_location=authority.ca).stdout
                self.assertEqual(got, lines)
                unknown = kcat(at, "-L", "-m", "3", good=False, security_protocol="SSL")
                self.assertNotEqual(unknown.returncode, 0)
                self.assertNotEqual(kcat(at, "-L", "-m", "3", good=False).returncode, 0)  # Without TLS.
                for old in ("-tls1", "-tls1_1"):
                    done = run("openssl", "s_client", old, "-cipher", "ALL:@SECLEVEL=0", "-connect", at, stdin="", good=False)
                    self.assertNotEqual(done.returncode, 0)
                for version, shown in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
                    done = run("openssl", "s_client", version, "-connect", at, "-CAfile", authority.ca, stdin="")
                    self.assertIn(shown, done.stdout)
                weak = run("openssl", "s_client", "-tls1_2", "-cipher", "AES128-SHA", "-connect", at, stdin="", good=False)
                self.assertNotEqual(weak.returncode, 0)
            shaken = [o for o in map(json.loads, log.read_text().splitlines()) if o["what"] == "Authenticate" and o["event"] == "denied"]
            self.assertEqual({(o["principal"], o["mechanism"], o["name"]) for o in shaken}, {("User:ANONYMOUS", "SSL", "")})
            self.assertTrue(all(o["detail"] for o in shaken))

    def test_a_certificate_that_is_replaced_is_used_without_a_restart(self):
        with Place() as place:
            authority = Authority(place)
            store = authority.store("server", "/CN=localhost/O=first")
            with Server(place, self.settings(store)) as server:
                at = server.addresses["SSL"].replace("127.0.0.1", "localhost")
                shown = lambda: run("openssl", "s_client", "-connect", at, stdin="", good=False).stdout
                # By its whole name: what s_client prints of a session ticket counts in "seconds".
                self.assertIn("O = first", shown())
                fresh = authority.store("next", "/CN=localhost/O=second")
                os.replace(fresh, store)
                for _ in range(100):
                    if "O = second" in shown():
                        break
                    time.sleep(0.1)
                self.assertIn("O = second", shown())
                store.write_text("nothing")
                for _ in range(100):
                    if "not read again" in server.text():
                        break
                    time.sleep(0.1)
                self.assertIn("O = second", shown())

    def wait_until(self, holds):
        deadline = time.monotonic() + 20
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    def test_a_key_that_is_refused_for_its_mode_is_used_once_that_is_mended(self):
        with Place() as place:
            authority = Authority(place)
            store = authority.store("server", "/CN=localhost/O=first")
            with Server(place, self.settings(store)) as server:
                at = server.addresses["SSL"].replace("127.0.0.1", "localhost")
                shown = lambda: run("openssl", "s_client", "-connect", at, stdin="", good=False).stdout
                fresh = authority.store("next", "/CN=localhost/O=second")
                fresh.chmod(0o644)
                os.replace(fresh, store)
                self.wait_until(lambda: "not read again" in server.text())
                time.sleep(1)  # Some more looks, which have nothing new to tell.
                self.assertEqual(server.text().count("not read again"), 1)
                self.assertIn("O = first", shown())
                store.chmod(0o600)
                self.wait_until(lambda: "O = second" in shown())
                self.assertIn("keys read again", server.text())

    def test_an_authority_that_is_replaced_is_used_without_a_restart(self):
        with Place() as place:
            authority = Authority(place)
            other_place = place / "other"
            other_place.mkdir()
            other = Authority(other_place)
            trusted = place / "trusted.pem"
            trusted.write_bytes(authority.ca.read_bytes())
            settings = self.settings(authority.store("server", "/CN=localhost"), **{
                "ssl.client.auth": "required", "ssl.truststore.location": trusted,
                "ssl.principal.mapping.rules": "RULE:^CN=([a-z]*),O=clients$/$1/"})
            with Server(place, settings) as server:
                at = server.addresses["SSL"].replace("127.0.0.1", "localhost")

                def client_of(vouching):
                    key, certificate = vouching.certificate("alice", "/O=clients/CN=alice")
                    return {"security_protocol": "SSL", "ssl_ca_location": authority.ca, "ssl_key_location": key, "ssl_certificate_location": certificate}
                old, new = client_of(authority), client_of(other)
                is_let_in = lambda client: kcat(at, "-L", "-m", "3", good=False, **client).returncode == 0
                self.assertEqual((is_let_in(old), is_let_in(new)), (True, False))
                fresh = place / "next.pem"
                fresh.write_bytes(other.ca.read_bytes())
                os.replace(fresh, trusted)
                self.wait_until(lambda: is_let_in(new))
                self.assertFalse(is_let_in(old))

    def test_a_certificate_says_who_a_client_is(self):
        with Place() as place:
            authority = Authority(place)
            other_place = place / "other"
            other_place.mkdir()
            other = Authority(other_place)
            rules = r"RULE:^CN=([a-z]*),O=clients$/$1/"
            more = {"ssl.client.auth": "required", "ssl.truststore.location": authority.ca,
                    "ssl.principal.mapping.rules": rules}
            store = place / "server.p12"
            key, certificate = authority.certificate("server", "/CN=localhost")
            run("openssl", "pkcs12", "-export", "-inkey", key, "-in", certificate, "-certfile", authority.ca, "-passout",
                f"pass:{SECRET}", "-out", store)
            store.chmod(0o600)
            settings = self.settings(store, **more, **{"ssl.keystore.password": SECRET})
            with Server(place, settings) as server:
                at = server.addresses["SSL"].replace("127.0.0.1", "localhost")
                tls = {"security_protocol": "SSL", "ssl_ca_location": authority.ca}
                key, certificate = authority.certificate("alice", "/O=clients/CN=alice", password="pw")
                alice = {**tls, "ssl_key_location": key, "ssl_certificate_location": certificate, "ssl_key_password": "pw"}
                kcat(at, "-P", "-t", "t", stdin="x\n", **alice)
                file = place / "alice.properties"
                file.write_text("security.protocol=SSL\n" + "".join(
                    f"{k.replace('_', '.')}={v}\n" for k, v in alice.items() if k != "security_protocol"))
                run(LEAT, "topic", "create", "u", "-b", at, "--config", file)
                self.assertNotEqual(kcat(at, "-L", "-m", "3", good=False, **tls).returncode, 0)
                key, certificate = authority.certificate("mallory", "/O=others/CN=mallory")
                nobody = {**tls, "ssl_key_location": key, "ssl_certificate_location": certificate}
                self.assertNotEqual(kcat(at, "-L", "-m", "3", good=False, **nobody).returncode, 0)
                key, certificate = other.certificate("alice", "/O=clients/CN=alice")
                forged = {**tls, "ssl_key_location": key, "ssl_certificate_location": certificate}
                self.assertNotEqual(kcat(at, "-L", "-m", "3", good=False, **forged).returncode, 0)
                self.assertNotIn(SECRET, server.text())

    def test_scram_over_tls(self):
        with Place() as place:
            authority = Authority(place)
            run(LEAT, "user", "add", "alice", "--data", place / "data", "--super", stdin=SECRET + "\n")
            # What is said of all listeners is said of those that ask for nothing but a certificate.
            settings = {"listeners": "SASL_SSL://localhost:0,BOTH://localhost:0", "listener.security.protocol.map": "SASL_SSL:SASL_SSL,BOTH:SASL_SSL",
                        "sasl.enabled.mechanisms": "SCRAM-SHA-256", "auto.create.topics.enable": "true",
                        "ssl.keystore.location": authority.store("server", "/CN=localhost"), "ssl.truststore.location": authority.ca,
                        "ssl.client.auth": "required", "listener.name.both.ssl.client.auth": "required"}
            with Server(place, settings) as server:
                at, both = (server.addresses[name].replace("127.0.0.1", "localhost") for name in ("SASL_SSL", "BOTH"))
                login = {**sasl("SCRAM-SHA-256", "alice", SECRET, "SASL_SSL"), "ssl_ca_location": authority.ca}
                kcat(at, "-P", "-t", "t", stdin="x\n", **login)
                self.assertEqual(kcat(at, "-C", "-t", "t", "-e", "-q", **login).stdout, "x\n")
                self.assertNotEqual(kcat(both, "-L", "-m", "3", good=False, **login).returncode, 0)
                key, certificate = authority.certificate("alice", "/O=clients/CN=of-the-machine")
                login |= {"ssl_key_location": key, "ssl_certificate_location": certificate}
                self.assertEqual(kcat(both, "-C", "-t", "t", "-e", "-q", **login).stdout, "x\n")


if __name__ == "__main__":
    LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
