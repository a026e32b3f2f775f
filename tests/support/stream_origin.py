"""An HTTPS origin whose answers take their time: stream_origin.py SETTINGS.json, the settings of origin_server.py. HTTP/1.1.

What it sends in parts waits for an acknowledgement between them, which comes out of band: a line on port 8080, in the clear.
So whoever collects what should be forwarded stands still. Paths:

  /events/N       N server-sent events, each sent when the one before was acknowledged
  /poll/SECONDS   an answer after that time
  /grpc-web       the message of a gRPC-Web call back, then trailers; with the query COUNT so often, as above
  CONNECT         a tunnel, to an address and port of this namespace
"""

import asyncio
import json
import ssl
import struct
import sys

settings = json.loads(open(sys.argv[1]).read())
acknowledged = asyncio.Queue()
LONGEST = 20


def note(**facts):
    with open(settings["log"], "a") as log:
        log.write(json.dumps(facts) + "\n")


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


async def in_parts(writer, kind, parts):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % kind.encode())
    for number, part in enumerate(parts):
        if number > 0:
            await asyncio.wait_for(acknowledged.get(), LONGEST)
        writer.write(chunk(part))
        await writer.drain()
    writer.write(b"0\r\n\r\n")


async def poll(writer, seconds):
    await asyncio.sleep(seconds)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nnews\n")


async def grpc_web(writer, kind, body, count):
    trailers = b"grpc-status:0\r\n"
    last = b"\x80" + struct.pack(">I", len(trailers)) + trailers
    parts = [body] * count
    parts[-1] += last
    await in_parts(writer, kind, parts)


async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def tunnel(reader, writer, target):
    address, port = target.rsplit(":", 1)
    inner_reader, inner_writer = await asyncio.open_connection(address, int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))


async def answer(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    fields = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in head[1:] if line}
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    note(method=method, path=target, host=fields.get("host"))
    if method == "CONNECT":
        await tunnel(reader, writer, target)
        return False
    path, _, query = target.partition("?")
    what, _, number = path[1:].partition("/")
    if what == "events":
        await in_parts(writer, "text/event-stream", [f"data: {i}\n\n".encode() for i in range(int(number))])
    elif what == "poll":
        await poll(writer, float(number))
    elif what == "grpc-web":
        await grpc_web(writer, fields["content-type"], body, int(query or 1))
    else:
        hello = f"hello from {settings['name']}\n".encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(hello), hello))
    await writer.drain()
    return True


async def serve(reader, writer):
    try:
        while await answer(reader, writer):
            pass
    except (asyncio.IncompleteReadError, asyncio.TimeoutError, OSError) as problem:
        note(problem=type(problem).__name__)
    finally:
        writer.close()


async def acknowledge(reader, writer):
    while await reader.readline():
        acknowledged.put_nowait(True)
    writer.close()


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*next(iter(settings["certificates"].values())))
    address = settings["addresses"][0]
    await asyncio.start_server(serve, address, settings["port"], ssl=context)
    await asyncio.start_server(acknowledge, address, 8080)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
