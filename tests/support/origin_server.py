"""A small HTTPS origin: origin_server.py SETTINGS.json. It says who it is, so that a test can assert who answered.

Every response carries "x-origin: NAME". Requests are logged to a file, one JSON object a line. The certificate is chosen
by server name (the settings' "certificates"; the first is the default). Paths:

  /                       200, "hello from NAME"
  /status/N               status N with a short body
  /bytes/N                N bytes, repeatable
  /echo                   the request's body
  /item                   a small object in JSON, compressed for who accepts gzip
  /headers                the request's header lines as they came, as a JSON list
  /then/A,B,C?key=K       status A at the first request with that key, then B, then C for good
  /slow/SECONDS/N         N chunks, one each SECONDS
  /cookie                 sets the cookie of the setting "cookie"
  /document/CODING        a JSON document in that content coding, with an ETag; with ?part as a 206
  /shelf/KEY              an object as S3 sends it, with its ETag and its checksums

A host whose name begins with "s3." answers / as S3 answers ListBuckets, one that begins with "dynamodb." as DynamoDB
answers GetItem, with its checksum. With the setting "close" every response ends its
connection.
"""

import base64
import gzip
import hashlib
import http.server
import json
import socket
import socketserver
import ssl
import sys
import threading
import time
import urllib.parse
import zlib

settings = json.loads(open(sys.argv[1]).read())
name = settings["name"]
log = open(settings["log"], "a", buffering=1)
log_lock = threading.Lock()
seen = {}
seen_lock = threading.Lock()
LIST_OF_BUCKETS = (b'<?xml version="1.0" encoding="UTF-8"?>\n<ListAllMyBucketsResult><Owner><ID>1</ID></Owner><Buckets><Bucket>'
                   b'<Name>one</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets>'
                   b'</ListAllMyBucketsResult>')


DOCUMENT = {"state": "ok", "items": [1, 2, 3], "text": "quite ordinary"}


def brotli(data):
    """One uncompressed meta-block (RFC 7932 section 9.2) and the empty last one: this Python has no encoder."""
    length = len(data) - 1
    return bytes([0x0b | (length & 1) << 7, length >> 1 & 0xff, 0x80 | length >> 9]) + data + b"\x03"


def zstd(data):
    """One frame with one raw block (RFC 8878 section 3.1.1)."""
    header = 1 | len(data) << 3
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)]) + header.to_bytes(3, "little") + data


CODINGS = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress, "br": brotli, "zstd": zstd,
           "gzip, br": lambda data: brotli(gzip.compress(data))}


def in_base64(data):
    return base64.b64encode(data).decode()


def body_of(count):
    block = bytes(range(256)) * 256
    return (block * (count // len(block) + 1))[:count]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def setup(self):
        self.request.settimeout(20)
        try:
            self.request.do_handshake()
        except OSError as problem:
            self.note(handshake=str(problem))
            raise
        super().setup()

    def note(self, **facts):
        with log_lock:
            log.write(json.dumps({"at": time.time(), "client": self.client_address[0], **facts}) + "\n")

    def serve(self):
        body = self.read_body()
        sni = self.request.server_name_seen if hasattr(self.request, "server_name_seen") else None
        self.note(method=self.command, path=self.path, port=self.client_address[1], host=self.headers.get("host"), sni=sni,
                  headers=[list(pair) for pair in self.headers.items()], body_bytes=len(body))
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        answer = getattr(self, "on_" + (parts[0] or "root"), self.on_root)
        answer(parts[1:], urllib.parse.parse_qs(url.query), body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

    def read_body(self):
        if "chunked" in self.headers.get("transfer-encoding", ""):
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return body
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status, body, kind="text/plain", more=()):
        self.send_response(status)
        self.send_header("x-origin", name)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for line in more:
            self.send_header(*line)
        if settings.get("close"):
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def on_root(self, rest, query, body):
        if self.headers.get("host", "").startswith("s3."):
            return self.answer(200, LIST_OF_BUCKETS, "application/xml")
        if self.headers.get("host", "").startswith("dynamodb."):
            item = b'{"Item":{"id":{"S":"one"},"price":{"N":"5"}}}'
            return self.answer(200, item, "application/x-amz-json-1.0", [("x-amz-crc32", str(zlib.crc32(item)))])
        self.answer(200, f"hello from {name}\n".encode())

    def on_cookie(self, rest, query, body):
        self.answer(200, b"a cookie\n", more=[("set-cookie", f"session={settings['cookie']}; Secure")])

    def on_status(self, rest, query, body):
        self.answer(int(rest[0]), f"status {rest[0]} from {name}\n".encode())

    def on_bytes(self, rest, query, body):
        self.answer(200, body_of(int(rest[0])), "application/octet-stream")

    def on_echo(self, rest, query, body):
        self.answer(200, body, "application/octet-stream")

    def on_item(self, rest, query, body):
        item = b'{"name": "tea", "price": 3, "stock": 7, "colour": "green"}'
        if "gzip" not in self.headers.get("accept-encoding", ""):
            return self.answer(200, item, "application/json")
        self.answer(200, gzip.compress(item), "application/json", [("content-encoding", "gzip")])

    def on_document(self, rest, query, body):
        coding = urllib.parse.unquote(rest[0])
        status = 206 if "part" in self.path else 200
        coded = CODINGS[coding](json.dumps(DOCUMENT).encode())
        self.answer(status, coded, "application/json", [("content-encoding", coding), ("etag", '"one"')])

    def on_shelf(self, rest, query, body):
        book = b"an ordinary object of an ordinary bucket\n"
        self.answer(200, book, "text/plain", [
            ("etag", f'"{hashlib.md5(book).hexdigest()}"'), ("accept-ranges", "bytes"), ("x-amz-checksum-type", "FULL_OBJECT"),
            ("x-amz-checksum-crc32", in_base64(zlib.crc32(book).to_bytes(4, "big"))),
            ("x-amz-checksum-sha256", in_base64(hashlib.sha256(book).digest()))])

    def on_headers(self, rest, query, body):
        self.answer(200, json.dumps([list(pair) for pair in self.headers.items()]).encode(), "application/json")

    def on_then(self, rest, query, body):
        steps = [int(step) for step in rest[0].split(",")]
        with seen_lock:
            key = query["key"][0]
            turn = seen[key] = seen.get(key, 0) + 1
        self.answer(steps[min(turn, len(steps)) - 1], f"turn {turn} of {name}\n".encode())

    def on_slow(self, rest, query, body):
        self.send_response(200)
        self.send_header("x-origin", name)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number in range(int(rest[1])):
            line = f"chunk {number}\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            time.sleep(float(rest[0]))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 512
    allow_reuse_address = True

    def __init__(self, address, port, context):
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.context = context
        super().__init__((address, port), Handler)

    def server_bind(self):
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        socketserver.TCPServer.server_bind(self)  # HTTPServer's own would look a host name up
        self.server_name, self.server_port = name, self.server_address[1]

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The handshake is done in the connection's own thread: a slow client must not hold the others up.
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        pass  # an aborted connection is a client's right; handshake problems are in the log


def context_of(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    context.set_alpn_protocols(["http/1.1"])
    return context


def main():
    contexts = {host: context_of(pair) for host, pair in settings["certificates"].items()}
    default = next(iter(contexts.values()))

    def choose(connection, server_name, _):
        connection.server_name_seen = server_name
        connection.context = contexts.get(server_name, default)

    default.sni_callback = choose
    servers = [Server(address, settings["port"], default) for address in settings["addresses"]]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


main()
