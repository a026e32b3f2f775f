"""A server that speaks first, as those of SMTP, IMAP, SSH and MySQL do: greeting_server.py ADDRESS PORT. It greets whoever
connects, and repeats each line that it gets."""

import socketserver
import sys


class Greeter(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 greeting.test speaks first\r\n")
        for line in self.rfile:
            self.wfile.write(b"250 " + line)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


with Server((sys.argv[1], int(sys.argv[2])), Greeter) as server:
    print("ready", flush=True)
    server.serve_forever()
