"""What calls.go says, with httpx (and h2), which does not tell trailers."""

import asyncio
import json
import ssl
import sys
import time

import httpx

host, *rest = sys.argv[1:]
origin = f"https://{host}"


class Context(ssl.SSLContext):
    """Keeps the last connection, since a response over HTTP/2 does not tell its certificate."""

    def wrap_bio(self, *words, **named):
        Context.last = super().wrap_bio(*words, **named)
        return Context.last


def client(seconds=20):
    context = Context(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations("/etc/ssl/certs/ca-certificates.crt")
    return httpx.AsyncClient(http2=True, verify=context, timeout=seconds, base_url=origin, trust_env=False)


def issuer():
    return dict(pair for part in Context.last.getpeercert()["issuer"] for pair in part)["commonName"]


async def everything():
    async with client() as session:
        first = await session.get("/")
        answers = await asyncio.gather(*(session.get(f"/bytes/{number * 1000}") for number in range(50)))
        return {
            "protocol": {"HTTP/2": "h2"}.get(first.http_version, first.http_version), "issuer": issuer(),
            "many": all((answer.status_code, len(answer.content)) == (200, number * 1000) for number, answer in enumerate(answers)),
            "echo": len((await session.post("/echo", content=bytes(3_000_000))).content),
            "download": len((await session.get("/bytes/20000000")).content)}


async def one(path, seconds):
    found = {"path": path, "status": 0, "bytes": 0, "class": "none", "text": ""}
    start = time.monotonic()
    try:
        async with client(seconds) as session:
            answer = await session.get(path)
            found |= {"status": answer.status_code, "bytes": len(answer.content)}
    except Exception as problem:  # whatever it is, its class is the answer
        found |= {"class": type(problem).__name__, "text": str(problem)}
    return {**found, "seconds": time.monotonic() - start}


if rest:
    for path in rest[1:]:
        print(json.dumps(asyncio.run(one(path, float(rest[0])))))
else:
    print(json.dumps(asyncio.run(everything())))
