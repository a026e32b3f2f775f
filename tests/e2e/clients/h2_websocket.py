"""A WebSocket over HTTP/2 (RFC 8441) with support/h2_origin.mjs: h2_websocket.py HOST. Prints what came of it."""

import json
import socket
import ssl
import sys

import h2.connection
import h2.events
import h2.settings
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage


class Chat:
    def __init__(self, host):
        context = ssl.create_default_context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.socket = context.wrap_socket(socket.create_connection((host, 443), timeout=20), server_hostname=host)
        self.http2, self.frames = h2.connection.H2Connection(), Connection(ConnectionType.CLIENT)
        self.http2.initiate_connection()
        self.settings_came = self.answered = self.came = self.ended = False
        self.heard = []
        self.until(lambda: self.settings_came)

    def until(self, done):
        self.socket.sendall(self.http2.data_to_send())
        while not done():
            for event in self.http2.receive_data(self.socket.recv(65_536)):
                self.take(event)
            self.socket.sendall(self.http2.data_to_send())

    def take(self, event):
        if isinstance(event, h2.events.RemoteSettingsChanged):
            self.settings_came = True
        elif isinstance(event, h2.events.ResponseReceived):
            self.answered = dict(event.headers)[b":status"] == b"200"
        elif isinstance(event, h2.events.DataReceived):
            self.http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if event.data:
                self.frames.receive_data(event.data)
            self.came = True
        elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
            self.ended = True

    def begin(self, host):
        assert self.http2.remote_settings.enable_connect_protocol == 1
        self.stream = self.http2.get_next_available_stream_id()
        fields = {":method": "CONNECT", ":protocol": "websocket", ":scheme": "https", ":path": "/websocket",
                  ":authority": host, "sec-websocket-version": "13"}
        self.http2.send_headers(self.stream, list(fields.items()))
        self.until(lambda: self.answered)

    def say(self, event):
        frame = self.frames.send(event)
        for at in range(0, len(frame), 10_000):
            piece = frame[at:at + 10_000]
            self.until(lambda: self.http2.local_flow_control_window(self.stream) >= len(piece))
            self.http2.send_data(self.stream, piece)
        self.socket.sendall(self.http2.data_to_send())

    def hear(self, kind):
        """The next whole one of that kind."""
        data = None
        while True:
            for event in self.frames.events():
                if not isinstance(event, kind):
                    raise SystemExit(f"{event} instead of {kind}")
                if isinstance(event, (Pong, CloseConnection)):
                    return event
                data = event.data if data is None else data + event.data
                if event.message_finished:
                    return data
            self.came = False
            self.until(lambda: self.ended or self.came)


def main(host):
    chat = Chat(host)
    chat.begin(host)
    found = {"welcome": chat.hear(TextMessage), "echoed": 0}
    for message in ("hello", "Grüße, " * 10_000):
        chat.say(TextMessage(message))
        found["echoed"] += chat.hear(TextMessage) == message
    chat.say(BytesMessage(bytes(range(256)) * 10))
    found["echoed"] += chat.hear(BytesMessage) == bytes(range(256)) * 10
    chat.say(Ping(b"are you there?"))
    found["pong"] = chat.hear(Pong).payload.decode()
    chat.say(CloseConnection(4001, "enough"))
    found["close"] = chat.hear(CloseConnection).code
    chat.http2.end_stream(chat.stream)
    chat.until(lambda: chat.ended)
    print(json.dumps(found))


main(sys.argv[1])
