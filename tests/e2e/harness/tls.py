"""Certificates, made by openssl at test time."""

import hashlib
import os
import ssl
import subprocess


class Authority:
    """A certificate authority in a directory; `root` is its certificate."""

    def __init__(self, directory):
        self.directory = directory
        self.root = os.path.join(directory, "root.crt")
        self._key = os.path.join(directory, "root.key")
        self._openssl("req", "-new", "-x509", "-nodes", "-days", "30", "-newkey", "ec", "-pkeyopt",
                      "ec_paramgen_curve:prime256v1", "-subj", "/CN=e2e authority", "-keyout", self._key,
                      "-out", self.root)
        os.chmod(self.root, 0o644)

    def issue(self, name, common_name="localhost", sans="DNS:localhost,IP:127.0.0.1"):
        """Makes name.crt and name.key; returns their paths."""
        key, request, cert, ext = (os.path.join(self.directory, f"{name}.{end}") for end in ("key", "csr", "crt", "ext"))
        self._openssl("req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                      "-subj", f"/CN={common_name}", "-keyout", key, "-out", request)
        with open(ext, "w") as file:
            file.write(f"subjectAltName={sans}\n")
        self._openssl("x509", "-req", "-in", request, "-CA", self.root, "-CAkey", self._key, "-CAcreateserial",
                      "-days", "30", "-extfile", ext, "-out", cert)
        os.chmod(key, 0o600)
        os.chmod(cert, 0o644)
        return cert, key

    @staticmethod
    def _openssl(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True)


def digest(der):
    """SHA-256 of a certificate as ssl.SSLSocket.getpeercert(True) gives it."""
    return hashlib.sha256(der).hexdigest()


def fingerprint(pem_path):
    """The same of a certificate's file."""
    with open(pem_path) as file:
        return digest(ssl.PEM_cert_to_DER_cert(file.read()))
