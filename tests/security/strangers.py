# SPDX-License-Identifier: Apache-2.0
"""Those who have not proved who they are: what Leat answers them, beside a running Apache Kafka.

    strangers.py PROGRAM [--report FILE] [--verbose]

Every API before authentication; steps of a login in the wrong order; wrong passwords, proofs, tokens and tickets of every mechanism; TLS
that is too old, and certificates of nobody. Of each the codes of the answers are noted, and where the connection is closed.
Differences must be in KNOWN, with a reason each. Exit code: 0 as expected, 1 differences, 3 Kafka cannot be had.
"""
import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import socket
import ssl
import struct
import sys
import tempfile
import time
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import matrix  # noqa: E402
import kafka_node  # noqa: E402
import kdc  # noqa: E402
import machine  # noqa: E402
import mechanisms  # noqa: E402
import protocol  # noqa: E402
import security  # noqa: E402

# Case: what Leat says instead of what, and why.
CLOSED = "who breaks the order is closed without an answer"
HIDDEN = "whether there is such a user is told by nothing but the proof (a user with other iterations than `leat user` makes is no stranger)"
FAILS = "an answer says so; Apache Kafka's server fails on it and closes"
LET_IN, REFUSED, REFUSED_LATER, CLOSED_LATER = (f"SaslHandshake 0 · {steps}" for steps in (
    "SaslAuthenticate 0 · Metadata answered", "SaslAuthenticate 58 · Metadata closed", "SaslAuthenticate 0 · SaslAuthenticate 58 · Metadata closed",
    "SaslAuthenticate 0 · SaslAuthenticate closed · Metadata closed"))
INVALID = "SaslHandshake 0 · SaslAuthenticate 0 · invalid_token · SaslAuthenticate 58 · Metadata closed"
KNOWN = {
    "two handshakes": ("SaslHandshake 0 · SaslHandshake closed", "SaslHandshake 0 · SaslHandshake 34", CLOSED),
    "a request between handshake and authentication": ("SaslHandshake 0 · Metadata closed", "SaslHandshake 0 · Metadata answered", CLOSED),
    "versions after the handshake": ("SaslHandshake 0 · ApiVersions closed", "SaslHandshake 0 · ApiVersions 34", CLOSED),
    "versions twice, then a login": (
        f"ApiVersions 0 · ApiVersions 0 · {LET_IN}",
        "ApiVersions 0 · ApiVersions closed · SaslHandshake closed · SaslAuthenticate closed · Metadata closed", "versions may be asked for again"),
    "SCRAM-SHA-256, an unknown user": (REFUSED_LATER, REFUSED, HIDDEN),
    "SCRAM-SHA-256, as with a token, which is none": (REFUSED_LATER, REFUSED, HIDDEN),
    "SCRAM-SHA-256, a short proof": (REFUSED_LATER, CLOSED_LATER, FAILS),
    "SCRAM-SHA-256, no proof": (REFUSED_LATER, CLOSED_LATER, FAILS),
    "SCRAM-SHA-256, another header at the end": (REFUSED_LATER, "SaslHandshake 0 · SaslAuthenticate 0 · SaslAuthenticate 0 · Metadata answered",
                                                 "RFC 5802, 5.1: c= must be the header of the first message"),
    "SCRAM-SHA-256, an extension that must be known": (REFUSED, REFUSED_LATER, "RFC 5802, 5.1: m= is refused by who does not know it"),
    "OAUTHBEARER, signed with SHA-512": (INVALID, LET_IN, "the key's alg says that it is for RS256 (RFC 7517, 4.4)"),
    "OAUTHBEARER, issued in the future": (INVALID, LET_IN, "a token cannot be older than its issue"),
    "OAUTHBEARER, of another kind": (REFUSED, "SaslHandshake 0 · SaslAuthenticate closed · Metadata closed", FAILS),
    "GSSAPI, nothing": ("SaslHandshake 0 · SaslAuthenticate 0 · Metadata closed", REFUSED,
                        "RFC 4752, 3.1 lets the first message be empty; the exchange goes on, and nobody is let in"),
}
USER, PASSWORD = security.USER, security.PASSWORD
CASES = []


def case(name, listener="CLEAR"):
    def add(function):
        CASES.append((name, listener, function))
        return function
    return add


class Talk:
    """A connection and what was said on it."""

    def __init__(self, peer, listener):
        self.peer, self.secrets, self.said = peer, peer.secrets, []
        host, port = peer.node.addresses[listener].rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=15)
        self.client = object.__new__(protocol.Client)
        self.client.socket, self.client.client_id, self.client.correlation = self.socket, "stranger", 0

    def call(self, api, version, **fields):
        """The answer; None when the connection is closed instead."""
        try:
            answer = self.client.call(api, version, **fields)
        except (protocol.Closed, ConnectionError):
            self.said.append(f"{api} closed")
            return None
        self.said.append(f"{api} {answer.get('error_code', 'answered')}")
        return answer

    def handshake(self, mechanism, version=1):
        return self.call("SaslHandshake", version, mechanism=mechanism)

    def step(self, data, version=2):
        return self.call("SaslAuthenticate", version, auth_bytes=data)

    def after(self):
        """Whether anything is answered after what was said."""
        self.call("Metadata", 5, topics=[])

    def raw(self, data):
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)
            self.said.append(f"raw {'answered' if self.socket.recv(1) else 'closed'}")
            return
        self.said.append("raw closed")


def before(api, version):
    def run(talk):
        # Nothing of it is read before somebody is known, so its fields do not matter.
        try:
            talk.call(api, version)
        except (TypeError, ValueError, AttributeError, struct.error) as why:
            talk.said.append(type(why).__name__)
    return run


@case("authenticate without a handshake")
def _(talk):
    talk.step(f"\0{USER}\0{PASSWORD}".encode())


@case("an unknown mechanism, then a known one")
def _(talk):
    talk.handshake("NONE")
    talk.handshake("PLAIN")


@case("a mechanism in small letters")
def _(talk):
    talk.handshake("plain")


@case("two handshakes")
def _(talk):
    talk.handshake("PLAIN")
    talk.handshake("SCRAM-SHA-256")


@case("a request between handshake and authentication")
def _(talk):
    talk.handshake("PLAIN")
    talk.after()


@case("versions after the handshake")
def _(talk):
    talk.handshake("PLAIN")
    talk.call("ApiVersions", 3)


@case("versions twice, then a login")
def _(talk):
    talk.call("ApiVersions", 3, client_software_name="x", client_software_version="1")
    talk.call("ApiVersions", 0)
    talk.handshake("PLAIN")
    talk.step(f"\0{USER}\0{PASSWORD}".encode())
    talk.after()


@case("versions with a bad name of the client")
def _(talk):
    talk.call("ApiVersions", 3, client_software_name="!", client_software_version="")
    talk.handshake("PLAIN")


@case("again who it is without an end of the session")
def _(talk):
    talk.handshake("PLAIN")
    talk.step(f"\0{USER}\0{PASSWORD}".encode())
    talk.step(f"\0{USER}\0{PASSWORD}".encode())
    talk.after()


@case("the handshake of old, then the bare exchange")
def _(talk):
    talk.handshake("PLAIN", 0)
    talk.raw(struct.pack(">i", 0))


@case("a size of 2 GiB")
def _(talk):
    talk.raw(b"\x7f\xff\xff\xff" + b"x" * 100)


@case("a negative size")
def _(talk):
    talk.raw(b"\xff\xff\xff\xff" + b"x" * 100)


@case("TLS to a listener without")
def _(talk):
    talk.raw(bytes.fromhex("16030100c8010000c40303") + b"x" * 190)


def plain(name, message):
    @case(f"PLAIN, {name}")
    def _(talk):
        talk.handshake("PLAIN")
        talk.step(message)
        talk.after()


for _name, _message in (("a wrong password", f"\0{USER}\0wrong"), ("an unknown user", f"\0nobody\0{PASSWORD}"), ("no password", f"\0{USER}\0"),
                        ("no user", f"\0\0{PASSWORD}"), ("to be another", f"bob\0{USER}\0{PASSWORD}"), ("to be oneself", f"{USER}\0{USER}\0{PASSWORD}"),
                        ("two parts", f"{USER}\0{PASSWORD}"), ("four parts", f"\0{USER}\0{PASSWORD}\0x"), ("nothing", ""), ("no zeros", "x" * 50)):
    plain(_name, _message.encode())


def scram(name, first="n={user},r={nonce}", header="n,,", password=PASSWORD, nonce="{r}", proof=None, binding="biws", user=USER, digest="sha256"):
    mechanism = "SCRAM-SHA-" + digest.removeprefix("sha")

    @case(f"{mechanism}, {name}")
    def _(talk):
        talk.handshake(mechanism)
        bare = first.format(user=user, nonce="fixed-nonce-of-a-stranger")
        answer = talk.step(header.encode() + bare.encode())
        if not answer or answer["error_code"]:
            return talk.after()
        challenge = answer["auth_bytes"].decode()
        fields = dict(part.split("=", 1) for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac(digest, password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        key = hmac.digest(salted, b"Client Key", digest)
        last = f"c={binding},r={nonce.format(r=fields['r'])}"
        signature = hmac.digest(hashlib.new(digest, key).digest(), f"{bare},{challenge},{last}".encode(), digest)
        good = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
        talk.step(f"{last},p={good if proof is None else proof}".encode())
        talk.after()


for _digest in ("sha256", "sha512"):
    scram("the right password", digest=_digest)
    scram("a wrong password", password="wrong", digest=_digest)
scram("an unknown user", user="nobody")
scram("no user", user="")
scram("a proof of zeros", proof=base64.b64encode(bytes(32)).decode())
scram("a short proof", proof="AAAA")
scram("no proof", proof="")
scram("a proof that is no base64", proof="!!!!")
scram("another nonce at the end", nonce="{r}x")
scram("the nonce cut", nonce="fixed-nonce-of-a-stranger")
scram("another header at the end", binding="eSws")
scram("a binding to the channel", header="p=tls-unique,,")
scram("to be another", header="n,a=bob,")
scram("no nonce", first="n={user},r=")
scram("an extension that must be known", first="m=x,n={user},r={nonce}")
scram("garbage", first="\x01\x02{nonce}")
scram("an extension", first="n={user},r={nonce},other=1")
scram("as with a token, which is none", first="n={user},r={nonce},tokenauth=true")


def token(name, message=None, key="signer", algorithm="RS256", drop=(), **claims):
    @case(f"OAUTHBEARER, {name}")
    def _(talk):
        talk.handshake("OAUTHBEARER")
        given = message or "n,,\1auth=Bearer " + sign(talk.secrets, key, algorithm, drop, claims) + "\1\1"
        answer = talk.step(given.encode())
        if answer and not answer["error_code"] and answer["auth_bytes"]:
            talk.said.append(json.loads(answer["auth_bytes"])["status"])
            talk.step(b"\1")
        talk.after()


def sign(secrets, key, algorithm, drop, claims):
    now = int(time.time())
    body = {"iss": security.ISSUER, "aud": security.AUDIENCE, "sub": USER, "scope": "any", "iat": now, "exp": now + 600}
    body |= {name: now + value if name in ("exp", "nbf", "iat") and isinstance(value, int) else value for name, value in claims.items()}
    parts = ({"alg": algorithm, "kid": "signer"}, {name: value for name, value in body.items() if name not in drop})
    head = ".".join(security.url64(json.dumps(part).encode()) for part in parts)
    if algorithm == "none":
        return head + "."
    if algorithm == "HS256":  # With the public key for a secret.
        public = security.openssl("rsa", "-in", secrets.folder / "signer.key", "-pubout")
        return head + "." + security.url64(hmac.digest(public, head.encode(), "sha256"))
    digest = "-sha" + algorithm[2:]
    return head + "." + security.url64(security.openssl("dgst", digest, "-sign", secrets.folder / f"{key}.key", data=head.encode()))


token("a good token")
token("signed with SHA-512", algorithm="RS512")
token("forged", key="forger")
token("expired", exp=-120)
token("not valid yet", nbf=300)
token("issued in the future", iat=300)
token("of another issuer", iss="https://other")
token("for another audience", aud="others")
token("for several audiences", aud=["others", security.AUDIENCE])
token("without signature", algorithm="none")
token("signed with the public key as a secret", algorithm="HS256")
token("without an end", drop=("exp",))
token("without a subject", drop=("sub",))
token("without an issuer", drop=("iss",))
token("without an audience", drop=("aud",))
token("with an empty subject", sub="")
token("with a number for a subject", sub=7)
token("to be another", message="n,a=bob,\1auth=Bearer x.y.z\1\1")
token("that is none", message="n,,\1auth=Bearer garbage\1\1")
token("of another kind", message="n,,\1auth=Basic YTpi\1\1")
token("that is missing", message="n,,\1\1")
token("garbage", message="\1\2\3")


@case("GSSAPI, garbage")
def _(talk):
    talk.handshake("GSSAPI")
    talk.step(os.urandom(100))
    talk.after()


def ticket(name, identity):
    @case(f"GSSAPI, a good ticket, {name}")
    def _(talk):
        def step(data):
            answer = talk.step(data)
            if not answer or answer["error_code"]:
                raise mechanisms.Refused
            return answer["auth_bytes"]

        talk.handshake("GSSAPI")
        with contextlib.suppress(mechanisms.Refused):
            mechanisms.kerberos(step, identity)
        talk.after()


ticket("to be oneself", USER)
ticket("to be nobody else", "")
ticket("to be another", "bob")
ticket("to be the service", "kafka@localhost")  # What kafka-python says.


@case("GSSAPI, nothing")
def _(talk):
    talk.handshake("GSSAPI")
    talk.step(b"")
    talk.after()


def tls(name, listener="SASL", low=None, high=None, certificate=None, ciphers=None):
    @case(f"TLS, {name}", listener)
    def _(talk):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(talk.secrets.ca)
        context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")  # Ours may be as old as it likes.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = low or ssl.TLSVersion.TLSv1_2, high or ssl.TLSVersion.TLSv1_3
        if certificate:
            context.load_cert_chain(*certificate(talk.secrets))
        try:
            talk.socket = talk.client.socket = context.wrap_socket(talk.socket, server_hostname="localhost")
            talk.said.append(talk.socket.version())
            talk.call("ApiVersions", 0)
        except (ssl.SSLError, OSError):
            talk.said.append("refused")


def stranger(secrets):
    """A certificate that says it is alice's, of an authority that nobody trusts."""
    key, out = secrets.folder / "imposter.key", secrets.folder / "imposter.pem"
    if not out.exists():
        security.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/O=clients/CN={USER}", "-keyout", key, "-out", out)
    return out, key


def expired(secrets):
    key, request, out = (secrets.folder / f"late.{end}" for end in ("key", "csr", "pem"))
    if not out.exists():
        security.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/O=clients/CN={USER}", "-keyout", key, "-out", request)
        security.openssl("x509", "-req", "-in", request, "-CA", secrets.ca, "-CAkey", secrets.folder / "ca.key", "-CAcreateserial", "-days", "-1",
                         "-out", out)
    return out, key


V = ssl.TLSVersion
tls("1.3 only", low=V.TLSv1_3)
tls("1.2 only", high=V.TLSv1_2)
tls("1.1 only", low=V.TLSv1_1, high=V.TLSv1_1)
tls("1.0 only", low=V.TLSv1, high=V.TLSv1)
tls("ciphers without encryption", high=V.TLSv1_2, ciphers="NULL:@SECLEVEL=0")
tls("ciphers without authentication", high=V.TLSv1_2, ciphers="aNULL:@SECLEVEL=0")
tls("no certificate", "MTLS")
tls("the certificate of a stranger", "MTLS", certificate=stranger)
tls("a certificate that has expired", "MTLS", certificate=expired)
tls("a good certificate", "MTLS", certificate=lambda s: (s.folder / "alice.pem", s.folder / "alice.key"))


@case("bare bytes to TLS", "SASL")
def _(talk):
    talk.handshake("PLAIN")


def outcome(peer, listener, function):
    talk = Talk(peer, listener)
    try:
        function(talk)
    except TimeoutError:
        talk.said.append("no answer")
    finally:
        talk.socket.close()
    return talk.said


def all_cases(peers):
    served = set.intersection(*(set(peer.versions) for peer in peers))
    for api in sorted(protocol.APIS.values(), key=lambda api: api.key):
        if api.key in served and api.name not in ("SaslHandshake", "SaslAuthenticate"):
            newest = min(peer.versions[api.key][1] for peer in peers)
            yield f"before authentication: {api.name} v{newest}", "CLEAR", before(api.name, newest)
    yield from CASES


def reason_of(name, leat, kafka):
    """Why they may differ so, or None."""
    of_leat, of_kafka, reason = KNOWN.get(name, (None, None, None))
    return reason if (of_leat, of_kafka) == (leat, kafka) else None


class Run:
    def __init__(self):
        self.rows = []  # (case, what Leat said, what Kafka said)

    def of(self, peers, verbose):
        for name, listener, function in all_cases(peers):
            said = [" · ".join(outcome(peer, listener, function)) for peer in peers]
            self.rows.append((name, *said))
            if said[0] != said[1]:
                reason = reason_of(name, *said)
                print(f"{'known' if reason else 'DIFFERS'}: {name}: leat {said[0]}, kafka {said[1]} {reason or ''}", flush=True)
            elif verbose:
                print(f"same: {name}: {said[0]}", flush=True)

    def counts(self):
        """(tried, differ without a reason, with one, reasons without a difference)"""
        other = [row for row in self.rows if row[1] != row[2]]
        known = sum(reason_of(*row) is not None for row in other)
        return len(self.rows), len(other) - known, known, len(KNOWN) - known

    def summary(self):
        return "{} strangers, {} differ without a reason, {} with one, {} reasons without a difference".format(*self.counts())

    def write(self, path):
        lines = ["# Strangers: those who have not proved who they are, beside Apache Kafka", "", f"- Commit: {machine.commit(matrix.ROOT)}",
                 f"- When: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC", f"- Machine: {machine.describe()}",
                 "- Command: `tests/security/strangers.py LEAT --report FILE`", f"- Result: {self.summary()}", "",
                 "Codes of the answers and where the connection is closed, in order; `Metadata` at the end asks whether anybody was let in.", "",
                 "| who | Leat | where Apache Kafka differs | why |", "|---|---|---|---|"]
        lines += [f"| {name} | {leat} | {'' if leat == kafka else kafka} | {reason_of(name, leat, kafka) or ''} |" for name, leat, kafka in self.rows]
        path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-strangers-"))
    try:
        with kdc.Kdc(folder / "realm") as realm:
            os.environ.update(realm.environment)
            peers = matrix.make_peers(args.program, folder, realm)
            for peer in peers:
                peer.node.settings["connection.failed.authentication.delay.ms"] = "0"
            with matrix.stopped_after(peers):
                for peer in peers:
                    peer.start()
                tried = Run()
                tried.of(peers, args.verbose)
            print(tried.summary())
            if args.report:
                tried.write(args.report)
            _, differ, _, stale = tried.counts()
            return 1 if differ or stale else 0
    except kafka_node.Unavailable as error:
        print(f"Apache Kafka is missing: {error}", file=sys.stderr)
        return 3
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
