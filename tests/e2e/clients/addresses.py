"""What this client makes of a name: the order in which getaddrinfo gives its addresses, and whether a call succeeds."""

import json
import socket
import sys
import urllib.request

found = socket.getaddrinfo(sys.argv[1], 443, type=socket.SOCK_STREAM)
answer = urllib.request.urlopen(f"https://{sys.argv[1]}/", timeout=10)
print(json.dumps({"order": [entry[4][0] for entry in found], "status": answer.status, "from": answer.headers["x-origin"]}))
