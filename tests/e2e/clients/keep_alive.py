"""A client that keeps one connection open and makes a call over it every 100 ms: keep_alive.py HOST SECONDS.

One JSON line a call: the local port (so that a reconnect shows), the certificate's SHA-256, what went wrong.
"""

import hashlib
import http.client
import json
import ssl
import sys
import time

connection = http.client.HTTPSConnection(sys.argv[1], context=ssl.create_default_context(), timeout=10)
connection.connect()
port = connection.sock.getsockname()[1]
certificate = hashlib.sha256(connection.sock.getpeercert(True)).hexdigest()
end = time.time() + float(sys.argv[2])
while time.time() < end:
    problem = None
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
    now = connection.sock.getsockname()[1] if connection.sock else None
    print(json.dumps({"port": now, "first_port": port, "certificate": certificate, "problem": problem}), flush=True)
    time.sleep(0.1)
