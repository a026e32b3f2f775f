"""Every kind of gRPC call to the service of support/grpc_origin.py: grpc_calls.py HOST. Prints what came of each."""

import json
import sys
import time

import grpc

MESSAGE = bytes(range(256)) * 4096  # 1 MiB

roots = open("/etc/ssl/certs/ca-certificates.crt", "rb").read()
options = [("grpc.max_receive_message_length", -1), ("grpc.enable_retries", 0)]
channel = grpc.secure_channel(f"{sys.argv[1]}:443", grpc.ssl_channel_credentials(roots), options)
found = {}


def status_of(call):
    try:
        return call() and "OK"
    except grpc.RpcError as problem:
        return problem.code().name


unary = channel.unary_unary("/test.Echo/Unary")
answer, call = unary.with_call(MESSAGE, timeout=20)
found["unary"] = answer == MESSAGE
found["trailing"] = dict(call.trailing_metadata()).get("sum")

counted = channel.unary_stream("/test.Echo/Counted")
found["server stream"] = sum(message == MESSAGE for message in counted(MESSAGE, timeout=20, metadata=(("count", "5"),)))
found["no message"] = len(list(counted(b"x", timeout=20, metadata=(("count", "0"),))))

joined = channel.stream_unary("/test.Echo/Joined")
found["client stream"] = joined((MESSAGE[:size] for size in (1, 1000, 0, 1 << 20)), timeout=20).decode()


def talk():
    """The next word only when the one before has come back."""
    for number in range(20):
        while len(heard) < number:
            time.sleep(0.001)
        yield str(number).encode()


heard = []
for message in channel.stream_stream("/test.Echo/Chat")(talk(), timeout=20):
    heard.append(message.decode())
found["chat"] = heard == [str(number) for number in range(20)]

began = time.monotonic()
found["deadline"] = status_of(lambda: channel.unary_unary("/test.Echo/Slow")(b"x", timeout=0.5))
found["deadline in time"] = time.monotonic() - began < 5
found["refused"] = status_of(lambda: channel.unary_unary("/test.Echo/Refused")(b"x", timeout=20))
found["again"] = unary(b"small", timeout=20) == b"small"
found["cancelled"] = channel.unary_unary("/test.Echo/Slow").future(b"x", timeout=20).cancel()
found["rule"] = status_of(lambda: channel.unary_unary("/test.Echo/Unknown")(b"x", timeout=20))
print(json.dumps(found))
