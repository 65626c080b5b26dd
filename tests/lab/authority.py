"""A certificate authority on the openssl command line, for tests only.

    ca = Authority.create(folder, "Lab CA")
    cert, key = ca.issue("server", san=["DNS:localhost", "IP:127.0.0.1"])

Everything is a PEM file in the folder.  Keys are EC P-256 unless asked
otherwise, as they take a millisecond to make.
"""

import os
import subprocess
import tempfile
import time

DAY = 86400

CONFIG = """\
[ca]
default_ca = lab
[lab]
database = {scratch}/index
new_certs_dir = {scratch}
certificate = {cert}
private_key = {key}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
CN = {name}
[extensions]
{extensions}
"""

SERVER = ("basicConstraints = critical, CA:FALSE\n"
          "keyUsage = critical, digitalSignature, keyEncipherment\n"
          "extendedKeyUsage = serverAuth\n")
ISSUER = ("basicConstraints = critical, CA:TRUE\n"
          "keyUsage = critical, keyCertSign, cRLSign\n"
          "subjectKeyIdentifier = hash\n")


class OpensslError(Exception):
    pass


def openssl(*args):
    done = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise OpensslError("openssl %s: %s" % (
            " ".join(args), done.stderr.decode(errors="replace").strip()))
    return done.stdout


def _stamp(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))


class Authority:
    """An issuer: a certificate and its key, and the folder they lie in."""

    def __init__(self, folder, cert, key):
        self.folder = folder
        self.cert = cert
        self.key = key

    @classmethod
    def create(cls, folder, name, **options):
        """A self-signed root; the options are those of issue()."""
        os.makedirs(folder, exist_ok=True)
        cert, key = cls(folder, None, None).issue(
            name.lower().replace(" ", "-"), name,
            extensions=options.pop("extensions", ISSUER), **options)
        return cls(folder, cert, key)

    def issue(self, stem, name="localhost", san=(), extensions=SERVER,
              key_type=("ec", "ec_paramgen_curve:P-256"), digest="sha256",
              not_before=-DAY, not_after=825 * DAY):
        """Writes STEM.pem and STEM.key and returns both paths.

        not_before and not_after are seconds from now.  Without an issuer
        of its own the certificate is self-signed.
        """
        cert = os.path.join(self.folder, stem + ".pem")
        key = os.path.join(self.folder, stem + ".key")
        if san:
            extensions += "subjectAltName = %s\n" % (
                san if isinstance(san, str) else ", ".join(san))
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            config = os.path.join(scratch, "config")
            request = os.path.join(scratch, "request")
            with open(config, "w") as out:
                out.write(CONFIG.format(
                    scratch=scratch, cert=self.cert or cert,
                    key=self.key or key, name=name, extensions=extensions))
            open(os.path.join(scratch, "index"), "w").close()
            algorithm, parameter = key_type
            openssl("req", "-new", "-config", config, "-nodes",
                    "-newkey", algorithm, "-pkeyopt", parameter,
                    "-keyout", key, "-out", request)
            now = time.time()
            command = ["ca", "-config", config, "-batch", "-notext",
                       "-md", digest, "-in", request, "-out", cert,
                       "-startdate", _stamp(now + not_before),
                       "-enddate", _stamp(now + not_after),
                       "-extensions", "extensions"]
            if self.cert is None:
                command += ["-selfsign", "-keyfile", key]
            openssl(*command)
        os.chmod(key, 0o600)
        return cert, key
