"""An RSA key, and DKIM signatures made with the openssl program: nothing of our own code is in them."""

import base64
import re
import subprocess


def _openssl(*words, stdin=None):
    return subprocess.run(["openssl", *words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def _relaxed_field(field):
    name, value = field.split(b":", 1)
    return name.strip().lower() + b":" + re.sub(rb"[ \t]+", b" ", re.sub(rb"\r\n", b"", value)).strip()


def _relaxed_body(body):
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _simple_body(body):
    return re.sub(rb"(\r\n)*$", b"", body) + b"\r\n"


class Key:
    def __init__(self, folder, bits=2048):
        self.file = f"{folder}/key{bits}.pem"
        _openssl("genrsa", "-out", self.file, str(bits))
        public = _openssl("rsa", "-in", self.file, "-pubout", "-outform", "DER")
        self.record = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()

    def sign(self, message, domain="example.org", names=("from", "to", "subject", "date"), c="simple/simple", more="", selector="k"):
        """The message with a DKIM-Signature on top. more: further tags ("l=10; "). A name that is not there is signed as absent;
        one that stands twice in names stands for the field above the last."""
        head, body = message.split(b"\r\n\r\n", 1)
        of_head, of_body = c.split("/")
        canonical = _relaxed_body(body) if of_body == "relaxed" else _simple_body(body)
        limit = re.search(r"\bl=(\d+)", more)
        digest = base64.b64encode(_openssl("dgst", "-sha256", "-binary", stdin=canonical[:int(limit[1])] if limit else canonical)).decode()
        tags = "" if c == "simple/simple" else "c=%s; " % c
        field = ("DKIM-Signature: v=1; a=rsa-sha256; %sd=%s; s=%s; %sh=%s; bh=%s; b=" %
                 (tags, domain, selector, more, ":".join(names), digest)).encode()
        left = re.split(rb"\r\n(?![ \t])", head)
        text = b""
        for name in names:
            for n in range(len(left) - 1, -1, -1):
                if left[n].split(b":")[0].strip().lower().decode("latin-1") == name.lower():
                    text += (_relaxed_field(left[n]) if of_head == "relaxed" else left[n]) + b"\r\n"
                    del left[n]
                    break
        text += _relaxed_field(field) if of_head == "relaxed" else field
        signature = _openssl("dgst", "-sha256", "-sign", self.file, stdin=text)
        return field + base64.b64encode(signature) + b"\r\n" + message
