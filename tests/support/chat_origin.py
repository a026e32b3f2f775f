"""A WebSocket origin with permessage-deflate: chat_origin.py SETTINGS.json, the settings of origin_server.py. It sends every
message back; "close CODE REASON" makes it close."""

import asyncio
import json
import ssl
import sys

import websockets

settings = json.loads(open(sys.argv[1]).read())


async def chat(socket):
    async for message in socket:
        if isinstance(message, str) and message.startswith("close "):
            _, code, reason = message.split(" ", 2)
            await socket.close(int(code), reason)
            return
        await socket.send(message)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*next(iter(settings["certificates"].values())))
    async with websockets.serve(chat, settings["addresses"][0], settings["port"], ssl=context):
        print("ready", flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
