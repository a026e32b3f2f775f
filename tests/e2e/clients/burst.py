"""burst.py HOST COUNT THREADS: so many requests at once, each on a connection of its own; prints what came of each."""

import collections
import concurrent.futures
import http.client
import json
import sys


def call(host):
    try:
        connection = http.client.HTTPSConnection(host, timeout=30)
        connection.request("GET", "/")
        status = connection.getresponse().status
        connection.close()
        return str(status)
    except OSError as problem:
        return type(problem).__name__


host, count, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with concurrent.futures.ThreadPoolExecutor(threads) as pool:
    print(json.dumps(collections.Counter(pool.map(call, [host] * count))))
