#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Logins at `leat serve` by what others vouch for: tokens of an OAuth authority, whose keys a JWKS server has, and Kerberos tickets.

usage: vouched_login_test.py LEAT [TEST...]
"""
import base64
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import kdc  # noqa: E402
import secure_test  # noqa: E402
from secure_test import Authority, Live, Place, SECRET, Server, kcat, run, sasl  # noqa: E402


PAUSE = 5  # Seconds between two fetches of the keys, as the settings below have it.


class Keys(http.server.BaseHTTPRequestHandler):
    """A JWKS endpoint and a token endpoint."""
    keys, token, fetched, fetched_at = {}, "", 0, 0.0

    def do_GET(self):
        type(self).fetched += 1
        type(self).fetched_at = time.monotonic()
        self.answer({"keys": list(self.keys.values())})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer({"access_token": self.token, "token_type": "Bearer", "expires_in": 60})

    def answer(self, document, status=200):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Credentials(Keys):
    """Gives its token to one client only, and notes who asked for it."""
    asked = []

    def do_POST(self):
        form = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        user, _, password = base64.b64decode(self.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
        self.asked.append((user, password, form))
        if (user, password) == ("me", SECRET):
            return self.answer({"access_token": self.token, "token_type": "Bearer", "expires_in": 60})
        self.answer({"error": "invalid_client", "error_description": "nobody knows it"}, status=401)


class Hanging(Keys):
    """Answers when it is told to."""
    go = threading.Event()

    def do_GET(self):
        type(self).fetched += 1
        type(self).fetched_at = time.monotonic()
        self.go.wait()
        self.answer({"keys": list(self.keys.values())})


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class OAuth(unittest.TestCase):
    def make_key(self, place, name):
        file = place / f"{name}.key"
        run("openssl", "genrsa", "-out", file, "2048")
        modulus = run("openssl", "rsa", "-in", file, "-noout", "-modulus").stdout.strip().split("=")[1]
        return file, {"kty": "RSA", "kid": name, "use": "sig", "n": url64(bytes.fromhex(modulus)), "e": "AQAB"}

    def sign(self, key, kid, algorithm="RS256", **claims):
        body = {"iss": "https://issuer", "aud": "leat", "sub": "alice", "exp": int(time.time()) + 300, **claims}
        head = url64(json.dumps({"alg": algorithm, "kid": kid}).encode()) + "." + url64(json.dumps(body).encode())
        if algorithm == "none":
            return head + "."
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(key)], input=head.encode(), capture_output=True, check=True)
        return head + "." + url64(done.stdout)

    def test_tokens_are_checked_against_a_jwks_endpoint(self):
        with Place() as place:
            first, first_jwk = self.make_key(place, "first")
            second, second_jwk = self.make_key(place, "second")
            Keys.keys = {"first": first_jwk}
            endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
            threading.Thread(target=endpoint.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{endpoint.server_port}"
            settings = {"listeners": "SASL_PLAINTEXT://127.0.0.1:0", "sasl.enabled.mechanisms": "OAUTHBEARER",
                        "super.users": "User:alice", "sasl.oauthbearer.jwks.endpoint.url": url + "/keys",
                        "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms": str(PAUSE * 1000),
                        "leat.audit.log": place / "audit.log", "leat.audit.allowed": "none",
                        "sasl.oauthbearer.expected.issuer": "https://issuer", "sasl.oauthbearer.expected.audience": "leat"}
            with Server(place, settings) as server:
                at = server.addresses["SASL_PLAINTEXT"]
                token = place / "token"
                file = place / "client.properties"
                file.write_text("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n"
                                f"sasl.oauthbearer.token.endpoint.url=file:{token}\n")

                def login(text):
                    token.write_text(text)
                    return run(secure_test.LEAT, "topic", "list", "-b", at, "--config", file, good=False).returncode == 0

                self.assertTrue(login(self.sign(first, "first")))
                self.assertFalse(login(self.sign(second, "first")))  # Forged.
                self.assertFalse(login(self.sign(first, "first", algorithm="none")))
                self.assertFalse(login(self.sign(first, "first", exp=int(time.time()) - 100)))
                self.assertFalse(login(self.sign(first, "first", iss="https://other")))
                self.assertFalse(login(self.sign(first, "first", aud="other")))
                self.assertFalse(login(self.sign(first, "first", nbf=int(time.time()) + 100)))
                self.assertFalse(login("garbage"))
                # Keys are read again, but not at everybody's wish: only once the pause is over.
                Keys.keys["second"] = second_jwk
                fetched = Keys.fetched
                deadline = time.monotonic() + 60
                while not login(self.sign(second, "second")):
                    self.assertLess(time.monotonic(), deadline, "the new key is not taken")
                self.assertEqual(Keys.fetched, fetched + 1)
                self.assertFalse(login(self.sign(second, "third")))
                if time.monotonic() - Keys.fetched_at < PAUSE:  # Else another fetch was right.
                    self.assertEqual(Keys.fetched, fetched + 1)
                hasty = Live(at, "OAUTHBEARER", "", self.sign(second, "first", sub="hasty"))
                self.assertIn(b"invalid_token", hasty.said)
                del hasty  # Without the byte that ends the exchange.
                patient = Live(at, "OAUTHBEARER", "", self.sign(second, "first", sub="patient"))
                self.assertRaises(PermissionError, patient.step, b"\1")
                Keys.token = self.sign(first, "first")
                self.assertNotIn(Keys.token.split(".")[1], server.text())
            failed = [o for o in map(json.loads, (place / "audit.log").read_text().splitlines()) if o["what"] == "Authenticate"]
            told = {(o["principal"], o["mechanism"], o["name"], o["detail"]) for o in failed}
            self.assertEqual(told, {("User:ANONYMOUS", "OAUTHBEARER", "alice", "name claimed, not proved"),
                                    ("User:ANONYMOUS", "OAUTHBEARER", "hasty", "name claimed, not proved"),
                                    ("User:ANONYMOUS", "OAUTHBEARER", "patient", "name claimed, not proved"),
                                    ("User:ANONYMOUS", "OAUTHBEARER", "", "")})
            self.assertEqual(sorted(o["name"] for o in failed if o["name"] in ("hasty", "patient")), ["hasty", "patient"])
            endpoint.shutdown()
            endpoint.server_close()


    def test_an_endpoint_has_a_certificate_by_an_authority_of_ones_own(self):
        with Place() as place:
            authority = Authority(place)
            signing, jwk = self.make_key(place, "first")
            Keys.keys = {"first": jwk}
            endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(authority.store("endpoint", "/CN=localhost"))
            endpoint.socket = context.wrap_socket(endpoint.socket, server_side=True)
            threading.Thread(target=endpoint.serve_forever, daemon=True).start()
            settings = {"listeners": "SASL_PLAINTEXT://127.0.0.1:0", "sasl.enabled.mechanisms": "OAUTHBEARER",
                        "super.users": "User:alice",
                        "sasl.oauthbearer.jwks.endpoint.url": f"https://127.0.0.1:{endpoint.server_port}/keys",
                        "sasl.oauthbearer.expected.issuer": "https://issuer", "sasl.oauthbearer.expected.audience": "leat"}
            module = {"listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config":
                      f'OAuthBearerLoginModule required ssl.truststore.location="{authority.ca}";'}
            token, file = place / "token", place / "client.properties"
            token.write_text(self.sign(signing, "first"))
            file.write_text("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n"
                            f"sasl.oauthbearer.token.endpoint.url=file:{token}\n")
            for more, is_good in (({}, False), (module, True)):
                with Server(place, {**settings, **more}) as server:
                    done = run(secure_test.LEAT, "topic", "list", "-b", server.addresses["SASL_PLAINTEXT"], "--config", file, good=False)
                    self.assertEqual(done.returncode == 0, is_good, done.stderr)
                    if not is_good:
                        self.assertIn("ssl.truststore.location in listener.name", server.text())
            endpoint.shutdown()
            endpoint.server_close()

    def test_administration_commands_get_their_token_from_an_endpoint(self):
        with Place() as place:
            key, jwk = self.make_key(place, "first")
            Credentials.keys, Credentials.token = {"first": jwk}, self.sign(key, "first")
            endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Credentials)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority = Authority(place)
            context.load_cert_chain(authority.store("endpoint", "/CN=localhost"))
            secret_endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Credentials)
            secret_endpoint.socket = context.wrap_socket(secret_endpoint.socket, server_side=True)
            for one in (endpoint, secret_endpoint):
                threading.Thread(target=one.serve_forever, daemon=True).start()
            http_url, https_url = f"http://127.0.0.1:{endpoint.server_port}", f"https://localhost:{secret_endpoint.server_port}"
            settings = {"listeners": "SASL_PLAINTEXT://127.0.0.1:0", "sasl.enabled.mechanisms": "OAUTHBEARER", "super.users": "User:alice",
                        "sasl.oauthbearer.jwks.endpoint.url": http_url + "/keys",
                        "sasl.oauthbearer.expected.issuer": "https://issuer", "sasl.oauthbearer.expected.audience": "leat"}
            with Server(place, settings) as server:
                def lists(url, *lines, code=0):
                    file = place / "client.properties"
                    file.write_text("\n".join(["security.protocol=SASL_PLAINTEXT", "sasl.mechanism=OAUTHBEARER",
                                               f"sasl.oauthbearer.token.endpoint.url={url}/token", *lines]))
                    done = run(secure_test.LEAT, "topic", "list", "-b", server.addresses["SASL_PLAINTEXT"], "--config", file, good=False)
                    self.assertEqual(done.returncode, code, done.stderr)
                    self.assertNotIn(SECRET, done.stderr)
                    return done.stderr

                def jaas(more=""):
                    return ("sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
                            f'clientId="me" clientSecret="{SECRET}" scope="read it"{more};')
                ours = ["sasl.oauthbearer.client.credentials.client.id=me", f"sasl.oauthbearer.client.credentials.client.secret={SECRET}"]
                lists(http_url, jaas())
                self.assertEqual(Credentials.asked, [("me", SECRET, "grant_type=client_credentials&scope=read%20it")])
                lists(http_url, *ours)
                self.assertEqual(Credentials.asked[1:], [("me", SECRET, "grant_type=client_credentials")])
                lists(http_url, "sasl.oauthbearer.client.id=me", f"sasl.oauthbearer.client.secret={SECRET}")
                self.assertIn("certificate", lists(https_url, *ours, code=1))
                lists(https_url, *ours, f"https.ca.location={authority.ca}")
                lists(https_url, jaas(f' ssl.truststore.location="{authority.ca}"'))
                self.assertIn("invalid_client", lists(http_url, ours[0], "sasl.oauthbearer.client.credentials.client.secret=x", code=1))
                self.assertIn("clientSecret", lists(http_url, code=2))
                self.assertIn("use https", lists("http://10.0.0.1", *ours, code=2))
            for one in (endpoint, secret_endpoint):
                one.shutdown()
                one.server_close()

    def test_an_endpoint_that_hangs_holds_up_nobody_else(self):
        with Place() as place:
            first, first_jwk = self.make_key(place, "first")
            Hanging.keys, Hanging.fetched = {"first": first_jwk}, 0
            Hanging.go.set()
            endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hanging)
            threading.Thread(target=endpoint.serve_forever, daemon=True).start()
            settings = {"listeners": "SASL_PLAINTEXT://127.0.0.1:0", "sasl.enabled.mechanisms": "OAUTHBEARER,PLAIN",
                        **{k: v for k, v in secure_test.Plain.SETTINGS.items() if k.endswith("sasl.jaas.config")},
                        "super.users": "User:alice", "leat.blocking.threads": "1", "auto.create.topics.enable": "true",
                        "sasl.oauthbearer.jwks.endpoint.url": f"http://127.0.0.1:{endpoint.server_port}/keys",
                        "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms": str(PAUSE * 1000),
                        "sasl.oauthbearer.expected.issuer": "https://issuer", "sasl.oauthbearer.expected.audience": "leat"}
            with Server(place, settings) as server:
                at = server.addresses["SASL_PLAINTEXT"]

                def properties(name, kid):
                    (place / f"{name}.token").write_text(self.sign(first, kid))
                    file = place / f"{name}.properties"
                    file.write_text("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n"
                                    f"sasl.oauthbearer.token.endpoint.url=file:{place / f'{name}.token'}\n")
                    return file

                unknown, known = properties("unknown", "third"), properties("known", "first")
                plain = sasl("PLAIN", "alice", SECRET)
                kcat(at, "-P", "-t", "t", stdin="x\n", **plain)
                # Nothing shows that keys may be fetched again.
                time.sleep(max(0, Hanging.fetched_at + PAUSE + 0.2 - time.monotonic()))
                Hanging.go.clear()
                fetched = Hanging.fetched
                strangers = [subprocess.Popen([str(secure_test.LEAT), "topic", "list", "-b", at, "--config", str(unknown)],
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(6)]
                try:
                    until = time.monotonic() + 10
                    while Hanging.fetched == fetched and time.monotonic() < until:
                        time.sleep(0.05)
                    begun = time.monotonic()
                    kcat(at, "-P", "-t", "t", stdin="y\n", **plain)  # A sync needs the one thread of the pool.
                    run(secure_test.LEAT, "topic", "list", "-b", at, "--config", known)
                    self.assertLess(time.monotonic() - begun, 4)
                    self.assertTrue(all(one.poll() is None for one in strangers))  # They still wait for the key.
                    self.assertEqual(Hanging.fetched, fetched + 1)
                finally:
                    Hanging.go.set()
                    for one in strangers:
                        one.wait(timeout=30)
                self.assertTrue(all(one.returncode != 0 for one in strangers))
            endpoint.shutdown()
            endpoint.server_close()


class Kerberos(unittest.TestCase):
    def test_a_ticket_says_who_a_client_is(self):
        with Place() as place, kdc.Kdc(place) as realm:
            env = realm.environment
            settings = {"listeners": "SASL_PLAINTEXT://localhost:0", "sasl.enabled.mechanisms": "GSSAPI",
                        "super.users": "User:alice", "auto.create.topics.enable": "true", "sasl.kerberos.service.name": "kafka",
                        "listener.name.sasl_plaintext.gssapi.sasl.jaas.config":
                            "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true "
                            f'keyTab="{realm.table("server")}" principal="kafka/localhost@{kdc.REALM}";'}
            with Server(place, settings, env) as server:
                at = server.addresses["SASL_PLAINTEXT"].replace("127.0.0.1", "localhost")
                ticket = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "GSSAPI",
                          "sasl_kerberos_service_name": "kafka", "sasl_kerberos_kinit_cmd": "true"}
                kcat(at, "-P", "-t", "t", stdin="x\n", env=env, **ticket)
                self.assertEqual(kcat(at, "-C", "-t", "t", "-e", "-q", env=env, **ticket).stdout, "x\n")
                host, port = at.rsplit(":", 1)
                # Nothing comes at a raw exchange's end, and what follows without a wait is a request already.
                self.assertEqual(run(sys.executable, pathlib.Path(__file__).with_name("gssapi_client.py"), host, port, env=env).stdout,
                                 "handshake 0\nanswer to 77\n")
                file = place / "client.properties"

                def topics(*lines, code=0):
                    file.write_text("\n".join(["security.protocol=SASL_PLAINTEXT", "sasl.mechanism=GSSAPI", *lines]))
                    done = run(secure_test.LEAT, "topic", "list", "-b", at, "--config", file, env=env, good=False)
                    self.assertEqual(done.returncode, code, done.stderr)
                    return done.stdout + done.stderr

                self.assertIn("t ", topics("sasl.kerberos.service.name=kafka"))
                run("kdestroy", env=env)
                self.assertIn("a ticket for kafka/localhost", topics(code=1))
                login = "sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true "
                self.assertIn("t ", topics("sasl.kerberos.service.name=kafka",
                                           login + f'keyTab="{realm.table("alice")}" principal="alice@{kdc.REALM}";'))
                self.assertIn("t ", topics(f"sasl.kerberos.keytab={realm.table('alice')}", f"sasl.kerberos.principal=alice@{kdc.REALM}"))
                topics(login + f'keyTab="{realm.table("stale")}" principal="alice@{kdc.REALM}";', code=1)
                self.assertIn("no-such", topics(f"sasl.kerberos.keytab={place}/no-such", code=1))
                self.assertNotEqual(kcat(at, "-L", "-m", "3", good=False, env=env, **ticket).returncode, 0)


if __name__ == "__main__":
    secure_test.LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
