"""Certificates for the TLS matrix of RELIABILITY.md T2: some good, most bad.

    certificates = make(folder)
    certificates["expired"].cert, .key, .good, .why

The client trusts folder/lab-ca.pem only and connects to "localhost".
`lab certs DIR` writes the same with certs.json as the table of contents.
"""

import json
import os
from collections import namedtuple

from authority import DAY, ISSUER, SERVER, Authority

HOST = "DNS:localhost"
CERT_SIGN_ONLY = SERVER.replace("digitalSignature, keyEncipherment",
                                "keyCertSign")
CLIENT = SERVER.replace("serverAuth", "clientAuth")

# "localhost\0.evil.test" as a subjectAltName of one dNSName, in DER.
_NUL_NAME = b"localhost\0.evil.test"
_NUL_DER = bytes([0x30, len(_NUL_NAME) + 2, 0x82, len(_NUL_NAME)]) + _NUL_NAME

Certificate = namedtuple("Certificate", "name cert key good why")

# name -> (why it must be refused, or None when it is good; how to issue it)
LEAVES = {
    "good": (None, dict(san=HOST)),
    "good-ip": (None, dict(san=HOST + ", IP:127.0.0.1")),
    "good-rsa": (None, dict(san=HOST,
                            key_type=("rsa", "rsa_keygen_bits:2048"))),
    "expired": ("its time is over", dict(
        san=HOST, not_before=-30 * DAY, not_after=-DAY)),
    "not-yet-valid": ("its time has not come", dict(
        san=HOST, not_before=DAY, not_after=30 * DAY)),
    "wrong-host": ("another host's", dict(name="other.test",
                                          san="DNS:other.test")),
    "expired-wrong-host": ("another host's, and over", dict(
        san="DNS:other.test", not_before=-30 * DAY, not_after=-DAY)),
    "subdomain": ("a name below ours is not ours", dict(
        san="DNS:www.localhost")),
    "cn-only": ("the common name does not count", dict(name="localhost")),
    "ip-only": ("good for 127.0.0.1, not for localhost", dict(
        san="IP:127.0.0.1")),
    "email-only": ("names a person", dict(san="email:ana@localhost")),
    "wildcard-all": ("* alone matches nothing", dict(san="DNS:*")),
    "wildcard-double": ("two stars", dict(san="DNS:*.*.test")),
    "wildcard-part": ("a star inside the only label", dict(
        san="DNS:l*t")),
    "nul-in-name": ("a NUL inside the name", dict(
        extensions=SERVER + "subjectAltName = DER:%s\n"
        % ":".join("%02x" % byte for byte in _NUL_DER))),
    "client-auth-only": ("may not serve", dict(san=HOST, extensions=CLIENT)),
    "no-signing-usage": ("its key may only sign certificates", dict(
        san=HOST, extensions=CERT_SIGN_ONLY)),
    "critical-unknown": ("a critical extension that nobody knows", dict(
        san=HOST, extensions=SERVER + "1.2.3.4.5 = critical, DER:05:00\n")),
    "rsa-1024": ("the key is too short", dict(
        san=HOST, key_type=("rsa", "rsa_keygen_bits:1024"))),
    "sha1": ("signed with SHA-1", dict(san=HOST, digest="sha1")),
}


class _Maker:
    def __init__(self, folder):
        self.folder = folder
        self.root = Authority.create(folder, "Lab CA")
        self.made = {}

    def add(self, stem, issuer, why, chain=(), **how):
        """A leaf of the issuer, with the chain that the server would send."""
        cert, key = issuer.issue(stem, **how)
        with open(cert, "a") as out:
            for link in chain:
                with open(link.cert) as file:
                    out.write(file.read())
        self.made[stem] = Certificate(stem, cert, key, why is None, why or "")

    def issuer(self, stem, above=None, extensions=ISSUER, **how):
        cert, key = (above or self.root).issue(
            "authority-" + stem, "Lab issuer " + stem, extensions=extensions,
            **how)
        return Authority(self.folder, cert, key)

    def chains(self):
        between = self.issuer("intermediate")
        self.add("good-chain", between, None, [between], san=HOST)
        self.add("missing-intermediate", between,
                 "the chain has a gap", san=HOST)
        leaf = self.issuer("leaf", extensions=SERVER)
        self.add("issuer-not-ca", leaf, "its issuer is no authority",
                 [leaf], san=HOST)
        old = self.issuer("expired", not_before=-30 * DAY, not_after=-DAY)
        self.add("issuer-expired", old, "its issuer's time is over", [old],
                 san=HOST)
        narrow = self.issuer(
            "narrow", extensions=ISSUER
            + "nameConstraints = critical, permitted;DNS:other.test\n")
        self.add("name-constraints", narrow,
                 "its issuer may not speak for localhost", [narrow], san=HOST)
        short = self.issuer("short", extensions=ISSUER.replace(
            "CA:TRUE", "CA:TRUE, pathlen:0"))
        below = self.issuer("below-short", above=short)
        self.add("path-too-long", below, "one issuer too many",
                 [below, short], san=HOST)

    def strangers(self):
        other = Authority.create(os.path.join(self.folder, "other"),
                                 "Other CA")
        self.add("unknown-ca", other, "nobody we know", san=HOST)
        twin = Authority.create(os.path.join(self.folder, "twin"), "Lab CA")
        self.add("ca-name-twin", twin, "the name of our CA, another's key",
                 [twin], san=HOST)
        alone = Authority(self.folder, None, None)
        self.add("self-signed", alone, "vouches for itself", san=HOST)


def make(folder):
    """All of them, as {name: Certificate}; takes about a second."""
    folder = os.path.realpath(folder)
    maker = _Maker(folder)
    for name, (why, how) in LEAVES.items():
        maker.add(name, maker.root, why, **how)
    maker.chains()
    maker.strangers()
    with open(os.path.join(folder, "certs.json"), "w") as out:
        json.dump({name: made._asdict() for name, made in maker.made.items()},
                  out, indent=2)
        out.write("\n")
    return maker.made


def load(folder):
    """What make() made before."""
    with open(os.path.join(folder, "certs.json")) as file:
        return {name: Certificate(**fields)
                for name, fields in json.load(file).items()}
