#!/usr/bin/env python3
"""rules.py COUNT: prints as many rules for a measurement, each for a host of its own."""
import json
import sys

MATCH = 'http.host == "host{}.example.org" and http.request.method == "GET" and http.response.code == 200'
rules = [{"name": f"other-{i}", "match": MATCH.format(i), "status": 429, "for": "forever"} for i in range(int(sys.argv[1]))]
print(json.dumps({"rules": rules}))
