"""Reads what support/stream_origin.py (or h2_origin.mjs) sends in parts: streams.py HOST COUNT KIND. KIND is "events" or
"events over h2", by curl; or "grpc-web". Each part is acknowledged when it is here, out of band; the next one comes then.
Prints how many came, and the median of the times from an acknowledgement to the next part."""

import http.client
import json
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import time

host, count, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
acknowledgements = socket.create_connection((host, 8080), 10)
acknowledgements.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def events():
    version = "--http2" if kind.endswith("h2") else "--http1.1"
    curl = subprocess.Popen(["curl", "--silent", "--show-error", "--no-buffer", "--max-time", "20", version,
                             f"https://{host}/events/{count}"], stdout=subprocess.PIPE)
    for line in curl.stdout:
        if line.startswith(b"data: "):
            yield line[6:].strip().decode()
    curl.wait()
    assert curl.returncode == 0, f"curl ended with {curl.returncode}"


def messages():
    payload = b"a message of a call"
    frame = b"\0" + struct.pack(">I", len(payload)) + payload
    connection = http.client.HTTPSConnection(host, timeout=20, context=ssl.create_default_context())
    connection.request("POST", f"/grpc-web?{count}", frame, {"content-type": "application/grpc-web+proto"})
    answer = connection.getresponse()
    while head := answer.read(5):
        flags, length = struct.unpack(">BI", head)
        body = answer.read(length)
        if flags & 0x80:
            assert body == b"grpc-status:0\r\n", body
        else:
            assert body == payload, body
            yield body.decode()


seen, gaps, before = [], [], None
for part in messages() if kind == "grpc-web" else events():
    if before is not None:
        gaps.append(time.monotonic() - before)
    seen.append(part)
    before = time.monotonic()
    if len(seen) < count:
        acknowledgements.sendall(b"next\n")
print(json.dumps({"parts": len(seen), "in order": kind == "grpc-web" or seen == [str(i) for i in range(count)],
                  "median_ms": round(statistics.median(gaps) * 1000, 3)}))
