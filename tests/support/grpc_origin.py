"""A gRPC origin: grpc_origin.py SETTINGS.json, the settings of origin_server.py. Messages are plain bytes. Methods of the
service test.Echo:

  Unary      the message; trailing metadata "sum" says its length
  Counted    (server streaming) the message as many times as the metadata "count" says
  Joined     (client streaming) the lengths of the messages, joined by blanks
  Chat       (bidirectional) each message back as it comes
  Slow       an answer after ten seconds
  Refused    the status NOT_FOUND
"""

import concurrent.futures
import json
import pathlib
import sys
import time

import grpc

settings = json.loads(open(sys.argv[1]).read())


def unary(message, context):
    context.set_trailing_metadata((("sum", str(len(message))),))
    return message


def counted(message, context):
    for _ in range(int(dict(context.invocation_metadata())["count"])):
        yield message


def joined(messages, context):
    return " ".join(str(len(message)) for message in messages).encode()


def chat(messages, context):
    yield from messages


def slow(message, context):
    for _ in range(100):
        if not context.is_active():
            break
        time.sleep(0.1)
    return message


def refused(message, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "there is no such thing")


server = grpc.server(concurrent.futures.ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", -1)])
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Echo", {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Counted": grpc.unary_stream_rpc_method_handler(counted),
    "Joined": grpc.stream_unary_rpc_method_handler(joined),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
    "Slow": grpc.unary_unary_rpc_method_handler(slow),
    "Refused": grpc.unary_unary_rpc_method_handler(refused)})])
certificate, key = (pathlib.Path(file).read_bytes() for file in next(iter(settings["certificates"].values())))
server.add_secure_port(f"{settings['addresses'][0]}:{settings['port']}",
                       grpc.ssl_server_credentials([(key, certificate)]))
server.start()
print("ready", flush=True)
server.wait_for_termination()
