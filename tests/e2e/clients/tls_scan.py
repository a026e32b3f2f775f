"""Which suites a server accepts: tls_scan.py HOST asks for each one that this machine's OpenSSL knows, alone, in a
connection of its own, and prints the names of the accepted ones as JSON; with the versions before 1.2 too."""

import json
import socket
import ssl
import sys
import warnings

warnings.simplefilter("ignore")
host = sys.argv[1]


def accepted(suite, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    try:
        context.set_ciphers(f"{suite}:@SECLEVEL=0")
        with socket.create_connection((host, 443), 20) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
            return tls.cipher()[0]
    except (OSError, ssl.SSLError):
        return None


everything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
everything.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
names = [suite["name"] for suite in everything.get_ciphers() if not suite["name"].startswith("TLS_")]
found = {name for name in names if accepted(name, ssl.TLSVersion.TLSv1_2) == name}
old = [version.name for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1) if accepted("ALL", version)]
print(json.dumps({"asked": len(names), "accepted": sorted(found), "old_versions": old}))
