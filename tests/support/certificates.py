"""A certificate authority of the test's own and server certificates of every kind, made with the openssl command."""

import shutil

from support import process


class Authority:
    """Lives in a folder: ca.crt, ca.key, and for each server NAME.crt (with the CA behind it) and NAME.key."""

    def __init__(self, folder, name="Waylay test origin CA"):
        self.folder = folder
        self.certificate = folder / "ca.crt"
        self._key = folder / "ca.key"
        _openssl("req", "-x509", *_new_key(self._key), "-out", self.certificate, "-days", "3", "-subj", f"/CN={name}",
                 "-addext", "basicConstraints=critical,CA:true", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def good(self, name, *hosts):
        return self._issue(name, hosts, ["-days", "2"])

    def expired(self, name, *hosts):
        """Its last day was yesterday."""
        return self._issue(name, hosts, ["-days", "-1"])

    def with_subject_only(self, name, host):
        """The host in the subject's common name and in no subjectAltName: no client may accept that any more."""
        return self._issue(name, (), ["-days", "2"], subject=host)

    def without_key_identifier(self, name, *hosts):
        """Without the authority's key identifier, which RFC 5280 demands and few miss."""
        return self._issue(name, hosts, ["-days", "2"], identifier="none")

    def must_staple(self, name, *hosts):
        """RFC 7633: to be believed only with a stapled OCSP response."""
        return self._issue(name, hosts, ["-days", "2"], more=["tlsfeature=status_request"])

    def for_client(self, name):
        """A client's certificate, with this common name."""
        return self._issue(name, (), ["-days", "2"], subject=name, purpose="clientAuth")

    def ocsp_response(self, certificate, status="V"):
        """The file of a fresh OCSP response for a certificate of this authority; status: V (good) or R (revoked)."""
        serial = process.run(["openssl", "x509", "-in", certificate, "-noout", "-serial"]).out.partition("=")[2].strip()
        index, response = certificate.with_suffix(".index"), certificate.with_suffix(f".{status}.ocsp")
        revoked = "250101000000Z" if status == "R" else ""
        index.write_text(f"{status}\t991231235959Z\t{revoked}\t{serial}\tunknown\t/CN=origin\n")
        _openssl("ocsp", "-index", index, "-CA", self.certificate, "-rsigner", self.certificate, "-rkey", self._key,
                 "-issuer", self.certificate, "-cert", certificate, "-ndays", "1", "-no_nonce", "-respout", response)
        return response

    def self_signed(self, name, *hosts):
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        _openssl("req", "-x509", *_new_key(key), "-out", certificate, "-days", "2", "-subj", f"/CN={hosts[0]}",
                 "-addext", f"subjectAltName={_names(hosts)}", "-addext", "basicConstraints=critical,CA:false")
        return certificate, key

    def _issue(self, name, hosts, dates, subject="origin", purpose="serverAuth", more=(), identifier="keyid"):
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        lines = ["basicConstraints=critical,CA:false", "keyUsage=critical,digitalSignature", f"extendedKeyUsage={purpose}",
                 f"authorityKeyIdentifier={identifier}", "subjectKeyIdentifier=hash", *more]
        if hosts:
            lines.append(f"subjectAltName={_names(hosts)}")
        extensions.write_text("\n".join(lines) + "\n")
        _openssl("req", *_new_key(key), "-out", request, "-subj", f"/CN={subject}")
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-out", certificate,
                 "-extfile", extensions, *dates)
        with open(certificate, "ab") as chain, open(self.certificate, "rb") as ca:
            shutil.copyfileobj(ca, chain)
        return certificate, key


def fingerprint(certificate):
    """SHA-256 of a PEM file's first certificate, as hexadecimal digits."""
    text = process.run(["openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"]).out
    return text.partition("=")[2].strip().replace(":", "").lower()


def _new_key(file):
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file]


def _names(hosts):
    return ",".join(("IP:" if host.replace(".", "").isdigit() or ":" in host else "DNS:") + host for host in hosts)


def _openssl(*arguments):
    process.run(["openssl", *arguments])
