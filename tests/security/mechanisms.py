# SPDX-License-Identifier: Apache-2.0
"""Ways in which the matrix's user proves that he is alice: one connection for each, with bare bytes, on either broker."""
import base64
import hashlib
import hmac
import os
import pathlib
import socket
import ssl
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[0] / "interop"), str(HERE.parents[0] / "system")]
import kdc  # noqa: E402
import protocol  # noqa: E402
import security  # noqa: E402

# Name: (listener, mechanism).
WAYS = {"PLAIN": ("CLEAR", "PLAIN"), "SCRAM-SHA-256": ("CLEAR", "SCRAM-SHA-256"), "SCRAM-SHA-512": ("CLEAR", "SCRAM-SHA-512"),
        "OAUTHBEARER": ("CLEAR", "OAUTHBEARER"), "GSSAPI": ("CLEAR", "GSSAPI"), "token": ("CLEAR", "SCRAM-SHA-256"),
        "PLAIN over TLS": ("SASL", "PLAIN"), "certificate": ("MTLS", None)}
LISTENERS = {"CLEAR": "SASL_PLAINTEXT", "SASL": "SASL_SSL", "MTLS": "SSL"}
DIGESTS = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


class Refused(Exception):
    """The broker did not believe it."""


class Connection(protocol.Client):
    """A connection that has proved who it is; a delegation token is (id, hmac). `user` may be another by SCRAM only, with the same password."""

    def __init__(self, address, way, secrets, realm=None, token=None, source="127.0.0.1", user=security.USER):
        host, port = address.rsplit(":", 1)
        self.client_id, self.correlation, self.realm = "matrix", 0, realm
        self.socket = socket.create_connection((host, int(port)), timeout=30, source_address=(source, 0))
        listener, mechanism = WAYS[way]
        if listener != "CLEAR":
            context = ssl.create_default_context(cafile=secrets.ca)
            if listener == "MTLS":
                context.load_cert_chain(secrets.folder / "alice.pem", secrets.folder / "alice.key")
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        if mechanism:
            self.authenticate(way, mechanism, secrets, token, user)

    def step(self, data):
        answer = self.call("SaslAuthenticate", 2, auth_bytes=data)
        if answer["error_code"]:
            raise Refused(f"{answer['error_code']} {answer['error_message']}")
        return answer["auth_bytes"]

    def authenticate(self, way, mechanism, secrets, token, user):
        answer = self.call("SaslHandshake", 1, mechanism=mechanism)
        if answer["error_code"]:
            raise Refused(f"{mechanism}: {answer}")
        if mechanism == "PLAIN":
            self.step(f"\0{security.USER}\0{security.PASSWORD}".encode())
        elif mechanism == "OAUTHBEARER":
            self.step(f"n,,\1auth=Bearer {secrets.token}\1\1".encode())
        elif mechanism == "GSSAPI":
            kerberos(self.step, security.USER)
        elif way == "token":
            self.scram("sha256", token[0], base64.b64encode(token[1]).decode(), ",tokenauth=true")
        else:
            self.scram(DIGESTS[mechanism], user, security.PASSWORD)

    def scram(self, digest, user, password, extension=""):
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n={user},r={nonce}{extension}"
        challenge = self.step(b"n,," + first.encode()).decode()
        fields = dict(part.split("=", 1) for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac(digest, password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        key = hmac.digest(salted, b"Client Key", digest)
        bare = f"c=biws,r={fields['r']}"
        signature = hmac.digest(hashlib.new(digest, key).digest(), f"{first},{challenge},{bare}".encode(), digest)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
        final = self.step(f"{bare},p={proof}".encode())
        server = hmac.digest(hmac.digest(salted, b"Server Key", digest), f"{first},{challenge},{bare}".encode(), digest)
        if base64.b64decode(final.decode().split("=", 1)[1]) != server:
            raise Refused("the broker does not know the password")


def kerberos(step, identity):
    """The exchange of RFC 4752 with alice's ticket; step(bytes) gives what the broker says. `identity` is who the client wants to be."""
    sys.path.append("/usr/lib/python3/dist-packages")  # For a python3 that is not Debian's.
    import gssapi  # Debian: python3-gssapi. Reads the environment when it is loaded.
    name = gssapi.Name("kafka@localhost", name_type=gssapi.NameType.hostbased_service)
    context = gssapi.SecurityContext(name=name, usage="initiate", flags=gssapi.RequirementFlag.mutual_authentication |
                                     gssapi.RequirementFlag.integrity)
    given = b""
    while not context.complete:
        out = context.step(given or None)
        if out is None and context.complete:
            break
        given = step(out or b"")
    offer = given if given and not given.startswith(b"\x60") else step(b"")
    context.unwrap(offer)
    step(context.wrap(b"\1\0\0\0" + identity.encode(), False).message)


def settings(secrets, realm):
    """Those of either broker for all ways; the listener CLEAR beside those of interop's security.py."""
    gssapi = ('com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true '
              f'keyTab="{realm.table("server")}" principal="kafka/localhost@{kdc.REALM}";')
    out = {name: value for name, value in secrets.settings().items() if not name.startswith("listener.name.reauth.")}
    out |= {name.replace(".sasl.", ".clear.", 1): value for name, value in out.items() if name.startswith("listener.name.sasl.")}
    return out | {"listener.name.clear.gssapi.sasl.jaas.config": gssapi, "sasl.kerberos.service.name": "kafka",
                  "listener.name.clear.sasl.enabled.mechanisms": out["sasl.enabled.mechanisms"] + ",GSSAPI",
                  "delegation.token.secret.key": "secret-of-tokens"}


def make_token(address, secrets, way="PLAIN", user=security.USER, owner=None, renewers=()):
    """(id, hmac) of a token that the user makes, for himself unless there is another owner."""
    with Connection(address, way, secrets, user=user) as connection:
        answer = connection.call("CreateDelegationToken", 3, owner_principal_type=owner and "User", owner_principal_name=owner, max_lifetime_ms=-1,
                                 renewers=[{"principal_type": "User", "principal_name": name} for name in renewers])
    if answer["error_code"]:
        raise Refused(f"no token: {answer}")
    return answer["token_id"], answer["hmac"]
