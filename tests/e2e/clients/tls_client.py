"""TLS connections of every kind: tls_client.py JSON, where JSON is a list of what to do; prints a list of what came.

    {"host": "shop.test",        whom to connect to
     "name": "shop.test"|null,   server name; null: none is sent
     "address": "::1"            instead of the host's own
     "most"/"least": "1.2"       TLS versions
     "ciphers": "...",           of TLS 1.2, in OpenSSL's words
     "alpn": [...],
     "piece": 1,                 octets in each TCP segment of the first flight
     "fragment": 1,              octets in each TLS record of the first flight
     "times": 2,                 connections, each with the session of the one before
     "path": "/"}

Each answer has version, cipher, alpn, reused (of the last), key ("EC" or "RSA"), names, issuer, status, and error in
words where there was one.
"""

import json
import socket
import ssl
import subprocess
import sys

VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2,
            "1.3": ssl.TLSVersion.TLSv1_3}


def context_of(wish):
    context = ssl.create_default_context()
    if wish.get("ciphers"):
        context.set_ciphers(wish["ciphers"])
    context.minimum_version = VERSIONS[wish.get("least", "1.2")]
    context.maximum_version = VERSIONS[wish.get("most", "1.3")]
    if wish.get("alpn"):
        context.set_alpn_protocols(wish["alpn"])
    return context


def fragmented(flight, size):
    """The same handshake message in records of at most `size` octets."""
    message, out = b"", b""
    while flight:
        length = int.from_bytes(flight[3:5], "big")
        message, flight = message + flight[5:5 + length], flight[5 + length:]
    for at in range(0, len(message), size):
        piece = message[at:at + size]
        out += b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece
    return out


class Connection:
    """TLS over two memories, so that this program decides how its octets travel."""

    def __init__(self, wish, context, session):
        self.plain = socket.create_connection((wish.get("address", wish["host"]), 443), 20)
        self.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received, self.waiting = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = wish.get("name", wish["host"])
        context.check_hostname = name is not None
        self.tls = context.wrap_bio(self.received, self.waiting, server_hostname=name, session=session)
        self.wish, self.first = wish, True

    def send_waiting(self):
        flight = self.waiting.read()
        if not flight:
            return
        if not self.first:
            return self.plain.sendall(flight)
        self.first = False
        if self.wish.get("fragment"):
            flight = fragmented(flight, self.wish["fragment"])
        size = self.wish.get("piece", len(flight))
        for at in range(0, len(flight), size):
            self.plain.sendall(flight[at:at + size])

    def do(self, what, *arguments):
        while True:
            try:
                answer = what(*arguments)
                self.send_waiting()
                return answer
            except ssl.SSLWantReadError:
                self.send_waiting()
                data = self.plain.recv(65536)
                if data:
                    self.received.write(data)
                else:
                    self.received.write_eof()
            except ssl.SSLError:
                self.send_waiting()
                raise

    def fetch(self):
        head = f"GET {self.wish.get('path', '/')} HTTP/1.1\r\nHost: {self.wish['host']}\r\nConnection: close\r\n\r\n"
        self.do(self.tls.write, head.encode())
        answer = b""
        while True:
            try:
                data = self.do(self.tls.read, 65536)
            except ssl.SSLError:
                break
            if not data:
                break
            answer += data
        return answer


def key_kind(certificate):
    text = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-text"], input=certificate, capture_output=True).stdout
    return "RSA" if b"rsaEncryption" in text else "EC"


def one(wish):
    context = context_of(wish)
    session = None
    try:
        for _ in range(wish.get("times", 1)):
            connection = Connection(wish, context, session)
            connection.do(connection.tls.do_handshake)
            answer = connection.fetch()
            session = connection.tls.session
            connection.plain.close()
    except (OSError, ssl.SSLError) as error:
        return {"error": str(error)}
    tls, shown = connection.tls, connection.tls.getpeercert() or {}
    return {"version": tls.version(), "cipher": tls.cipher()[0], "alpn": tls.selected_alpn_protocol(),
            "reused": tls.session_reused, "key": key_kind(tls.getpeercert(True)),
            "names": [name for _, name in shown.get("subjectAltName", ())],
            "issuer": dict(pair[0] for pair in shown.get("issuer", ())).get("commonName", ""),
            "status": int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0, "error": ""}


print(json.dumps([one(wish) for wish in json.loads(sys.argv[1])]))
