# SPDX-License-Identifier: Apache-2.0
"""A secured broker of either kind, and what a client needs for each way in. Clients find it in the file that $LEAT_SECURITY names:

    {FEATURE: {"bootstrap", "good": LOGIN, "wrong": LOGIN}}
    LOGIN: {"ca", "certificate", "key", "mechanism", "user", "password", "token", "token_url", "keytab", "realm", "service", "rdkafka": {...},
            "java": {...}}

`token_url` is the endpoint that gives tokens to a client that shows its id (user) and secret (password).
What a way in does not need is null. Programs that read no JSON find librdkafka's properties, with the token, in $LEAT_SECURITY.d/FEATURE.good and
FEATURE.wrong. The last two are the same as librdkafka and as Java call it. `wrong` has another password, a token that somebody
else signed, keys that became void, a service that there is not (who has a ticket needs no keys), no certificate, or (TLS) no trust in the broker's authority.
"""
import base64
import hashlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import kdc  # noqa: E402
from kafka_node import KafkaNode, LeatNode  # noqa: E402
from protocol import Client  # noqa: E402

WAYS = {"tls": ("TLS", None), "mtls": ("MTLS", None), "sasl_plain": ("SASL", "PLAIN"), "sasl_scram_256": ("SASL", "SCRAM-SHA-256"),
        "sasl_scram_512": ("SASL", "SCRAM-SHA-512"), "sasl_oauthbearer": ("SASL", "OAUTHBEARER"), "sasl_oidc": ("SASL", "OAUTHBEARER"),
        "sasl_gssapi": ("KERBEROS", "GSSAPI"), "reauthentication": ("REAUTH", "PLAIN")}
FEATURES = tuple(WAYS)
LISTENERS = {"TLS": "SSL", "MTLS": "SSL", "SASL": "SASL_SSL", "REAUTH": "SASL_SSL", "KERBEROS": "SASL_PLAINTEXT"}
HOSTS = {"KERBEROS": "localhost"}
SESSION_MS = 3000  # On REAUTH: who wants to stay longer says again who he is (KIP-368).
USER, PASSWORD, ISSUER, AUDIENCE = "alice", "password-of-alice", "https://issuer", "brokers"
KERBEROS = 'com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true doNotPrompt=true keyTab="{}" principal="{}";'
MODULE = "org.apache.kafka.common.security.{}LoginModule required"
SCRAM = {"SCRAM-SHA-256": (1, "sha256"), "SCRAM-SHA-512": (2, "sha512")}
ITERATIONS = 4096


def openssl(*words, data=None):
    done = subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {words[0]}: {done.stderr.decode()[-300:]}")
    return done.stdout


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Endpoint(http.server.ThreadingHTTPServer):
    """An issuer of tokens: GET gives the keys that sign them, POST a token to a client that shows its secret (RFC 6749, 4.4)."""
    daemon_threads = True

    def __init__(self, keys, token):
        super().__init__(("127.0.0.1", 0), Issuer)
        self.keys, self.token = keys, token
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Issuer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, self.server.keys)

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        known = self.headers.get("authorization") == f"Basic {basic}"
        if known and form.get("grant_type") == ["client_credentials"]:
            self.answer(200, {"access_token": self.server.token, "token_type": "Bearer", "expires_in": 3600})
        else:
            self.answer(401, {"error": "invalid_client"})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Secrets:
    """An authority, certificates of the broker and of alice, and a key that signs tokens; all in `folder`. With a KDC: keys of its realm."""

    def __init__(self, folder, realm=None):
        self.realm = realm
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.ca = self.authority("ca")
        self.stranger = self.authority("stranger")
        self.broker = self.store("broker", "/CN=localhost")
        self.alice = self.store("alice", f"/O=clients/CN={USER}")
        openssl("genrsa", "-out", self.folder / "signer.key", "2048")
        openssl("genrsa", "-out", self.folder / "forger.key", "2048")
        modulus = openssl("rsa", "-in", self.folder / "signer.key", "-noout", "-modulus").decode().strip().split("=")[1]
        self.token, self.forged = self.sign("signer"), self.sign("forger")
        self.endpoint = Endpoint({"keys": [{"kty": "RSA", "kid": "signer", "use": "sig", "alg": "RS256", "n": url64(bytes.fromhex(modulus)),
                                            "e": "AQAB"}]}, self.token)
        self.keys_url, self.token_url = f"{self.endpoint.url}/keys", f"{self.endpoint.url}/token"

    def authority(self, name):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=authority {name}", "-keyout",
                self.folder / f"{name}.key", "-out", self.folder / f"{name}.pem")
        return str(self.folder / f"{name}.pem")

    def store(self, name, subject):
        """One PEM file with key and certificate, beside NAME.key and NAME.pem."""
        key, request, out, extensions = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem", "ext"))
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", extensions, "-out", out)
        both = self.folder / f"{name}-store.pem"
        both.write_text(key.read_text() + out.read_text())
        both.chmod(0o600)
        return str(both)

    def sign(self, name):
        now = int(time.time())
        body = {"iss": ISSUER, "aud": AUDIENCE, "sub": USER, "scope": "any", "iat": now, "exp": now + 6 * 3600}
        head = ".".join(url64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "signer"}, body))
        token = head + "." + url64(openssl("dgst", "-sha256", "-sign", self.folder / f"{name}.key", data=head.encode()))
        (self.folder / f"{name}.token").write_text(token)
        return token

    def settings(self):
        """Those of either broker."""
        kerberos = {} if self.realm is None else {
            "sasl.kerberos.service.name": "kafka", "listener.name.kerberos.sasl.enabled.mechanisms": "GSSAPI",
            "listener.name.kerberos.gssapi.sasl.jaas.config": KERBEROS.format(self.realm.table("server"), f"kafka/localhost@{kdc.REALM}")}
        return kerberos | {
            "ssl.keystore.type": "PEM", "ssl.keystore.location": self.broker, "ssl.truststore.type": "PEM", "ssl.truststore.location": self.ca,
            "listener.name.mtls.ssl.client.auth": "required", "ssl.principal.mapping.rules": "RULE:^CN=([a-z]+),O=clients$/$1/,DEFAULT",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            "listener.name.sasl.plain.sasl.jaas.config": MODULE.format("plain.Plain") + f' user_{USER}="{PASSWORD}";',
            "listener.name.sasl.scram-sha-256.sasl.jaas.config": MODULE.format("scram.Scram") + ";",
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": MODULE.format("scram.Scram") + ";",
            "listener.name.sasl.oauthbearer.sasl.jaas.config": MODULE.format("oauthbearer.OAuthBearer") + ";",
            "listener.name.sasl.oauthbearer.sasl.server.callback.handler.class":
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
            "listener.name.reauth.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.reauth.plain.sasl.jaas.config": MODULE.format("plain.Plain") + f' user_{USER}="{PASSWORD}";',
            "listener.name.reauth.plain.connections.max.reauth.ms": str(SESSION_MS),
            "sasl.oauthbearer.jwks.endpoint.url": self.keys_url, "sasl.oauthbearer.expected.issuer": ISSUER,
            "sasl.oauthbearer.expected.audience": AUDIENCE, "auto.create.topics.enable": "true", "num.partitions": "1",
        }

    def login(self, way, good):
        listener, mechanism = WAYS[way]
        trusted = self.ca if good or way != "tls" else self.stranger
        out = dict.fromkeys(("ca", "certificate", "key", "mechanism", "user", "password", "token", "token_url", "keytab", "realm",
                             "service")) | {"ca": trusted}
        rdkafka = {"security.protocol": LISTENERS[listener].lower(), "ssl.ca.location": trusted}
        java = {"security.protocol": LISTENERS[listener], "ssl.truststore.type": "PEM", "ssl.truststore.location": trusted}
        if way == "mtls" and good:
            out |= {"certificate": str(self.folder / "alice.pem"), "key": str(self.folder / "alice.key")}
            rdkafka |= {"ssl.certificate.location": out["certificate"], "ssl.key.location": out["key"]}
            java |= {"ssl.keystore.type": "PEM", "ssl.keystore.location": self.alice}
        if mechanism:
            out["mechanism"] = rdkafka["sasl.mechanism"] = java["sasl.mechanism"] = mechanism
        if mechanism == "GSSAPI":
            table, service = (self.realm.table("alice"), "kafka") if good else (self.realm.table("stale"), "stranger")
            out |= {"user": USER, "keytab": table, "realm": kdc.REALM, "service": service}
            rdkafka |= {"sasl.kerberos.service.name": service, "sasl.kerberos.kinit.cmd": "true"}  # alice has a ticket
            java |= {"sasl.jaas.config": KERBEROS.format(table, f"{USER}@{kdc.REALM}"), "sasl.kerberos.service.name": "kafka"}
        elif way == "sasl_oidc":
            secret = PASSWORD if good else "another"
            out |= {"token_url": self.token_url, "user": USER, "password": secret}
            rdkafka |= {"sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.client.id": USER, "sasl.oauthbearer.client.secret": secret,
                        "sasl.oauthbearer.token.endpoint.url": self.token_url, "sasl.oauthbearer.scope": "any"}
            java |= {"sasl.jaas.config": f'{MODULE.format("oauthbearer.OAuthBearer")} clientId="{USER}" clientSecret="{secret}" scope="any";',
                     "sasl.oauthbearer.token.endpoint.url": self.token_url,
                     "sasl.login.callback.handler.class": "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"}
        elif mechanism == "OAUTHBEARER":
            name = "signer" if good else "forger"
            out["token"] = self.token if good else self.forged
            java |= {"sasl.jaas.config": MODULE.format("oauthbearer.OAuthBearer") + ";",
                     "sasl.oauthbearer.token.endpoint.url": f"file:{self.folder / name}.token",
                     "sasl.login.callback.handler.class": "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"}
        elif mechanism:
            password = PASSWORD if good else "another"
            out |= {"user": USER, "password": password}
            rdkafka |= {"sasl.username": USER, "sasl.password": password}
            module = MODULE.format("plain.Plain" if mechanism == "PLAIN" else "scram.Scram")
            java["sasl.jaas.config"] = f'{module} username="{USER}" password="{password}";'
        return out | {"rdkafka": rdkafka, "java": java}

    def write(self, path, addresses):
        ways = {way: {"bootstrap": addresses[listener], "good": self.login(way, True), "wrong": self.login(way, False)}
                for way, (listener, _) in WAYS.items()}
        pathlib.Path(path).write_text(json.dumps(ways, indent=1))
        flat = pathlib.Path(f"{path}.d")
        flat.mkdir()
        for way, known in ways.items():
            for name in ("good", "wrong"):
                rows = known[name]["rdkafka"] | {"bootstrap.servers": known["bootstrap"], "token": known[name]["token"] or ""}
                (flat / f"{way}.{name}").write_text("".join(f"{key}={value}\n" for key, value in rows.items()))

    def java_options(self):
        """Kafka reads keys and tokens only from where it was told it may."""
        allowed = ",".join((self.keys_url, self.token_url, *(f"file:{self.folder / name}.token" for name in ("signer", "forger"))))
        kerberos = [] if self.realm is None else [f"-Djava.security.krb5.conf={self.realm.config}"]
        return [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={allowed}", *kerberos]


def add_users(address, user=USER):
    """Alice, or another with her password, with keys of both kinds of SCRAM; the same request to both brokers."""
    with Client(address) as client:
        for number, digest in SCRAM.values():
            salt = os.urandom(16)
            row = {"name": user, "mechanism": number, "iterations": ITERATIONS, "salt": salt,
                   "salted_password": hashlib.pbkdf2_hmac(digest, PASSWORD.encode(), salt, ITERATIONS)}
            answer = client.call("AlterUserScramCredentials", 0, deletions=[], upsertions=[row])
            if answer["results"][0]["error_code"]:
                raise RuntimeError(f"no SCRAM user: {answer}")


def make_node(broker, folder, leat, secrets):
    settings = secrets.settings()
    if broker == "kafka":
        return KafkaNode(folder / "kafka", settings=settings, listeners=LISTENERS, java_options=secrets.java_options(), hosts=HOSTS)
    # No rights here: those are tests/security's.
    return LeatNode(folder / "leat", leat, settings=settings | {"super.users": f"User:ANONYMOUS;User:{USER}"}, listeners=LISTENERS,
                    environment=secrets.realm.environment, hosts=HOSTS)
