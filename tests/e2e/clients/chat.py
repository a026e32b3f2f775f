"""A WebSocket's conversation with support/chat_origin.py: chat.py HOST. Prints what came of it."""

import asyncio
import json
import sys

import websockets

MESSAGES = ["hello", "a text that deflates well, " * 40, "", "Grüße", bytes(range(256)) * 400, b""]


async def main():
    found = {}
    async with websockets.connect(f"wss://{sys.argv[1]}/chat?room=1") as socket:
        found["extension"] = socket.response_headers.get("Sec-WebSocket-Extensions", "").split(";")[0]
        found["echoed"] = 0
        for message in MESSAGES:
            await socket.send(message)
            found["echoed"] += await asyncio.wait_for(socket.recv(), 10) == message
        await asyncio.wait_for(await socket.ping(b"there?"), 10)
        await socket.send(["in ", "three ", "pieces"])
        found["pieces"] = await asyncio.wait_for(socket.recv(), 10)
        await socket.close(4001, "enough")
    found["close"] = [socket.close_code, socket.close_reason]
    async with websockets.connect(f"wss://{sys.argv[1]}/chat?room=2", compression=None) as socket:
        await socket.send("close 1012 going")
        try:
            await asyncio.wait_for(socket.recv(), 10)
        except websockets.ConnectionClosed as closed:
            found["closed by"] = [closed.rcvd.code, closed.rcvd.reason]
    print(json.dumps(found))


asyncio.run(main())
