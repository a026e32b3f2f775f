"""What calls.go says, with curl."""

import json
import pathlib
import subprocess
import sys

host, *rest = sys.argv[1:]
origin = f"https://{host}"


def curl(*words):
    return subprocess.run(["curl", "--silent", "--show-error", "--http2", *words], capture_output=True, text=True)


def everything():
    first = curl("--write-out", "%{http_version} %{certs}", "--output", "/dev/null", f"{origin}/").stdout
    version, _, certificates = first.partition(" ")
    outputs = [word for number in range(50) for word in ("--output", "/dev/null", f"{origin}/bytes/{number * 1000}")]
    # Without --parallel-immediate, transfers wait for the first connection and then share it.
    many = curl("--parallel", "--parallel-max", "50", "--write-out", "%{response_code} %{size_download}\n", *outputs)
    pathlib.Path("/tmp/upload").write_bytes(bytes(3_000_000))
    size = ("--output", "/dev/null", "--write-out", "%{size_download}\n")
    sizes = curl(*size, "--data-binary", "@/tmp/upload", f"{origin}/echo",
                 "--next", "--silent", "--http2", *size, f"{origin}/bytes/20000000").stdout.split()
    trailer = curl("--include", f"{origin}/trailers").stdout.partition("x-sum: ")[2].split()
    return {
        "protocol": {"2": "h2"}.get(version, version), "issuer": certificates.partition("Issuer:")[2].splitlines()[0],
        "many": sorted(many.stdout.splitlines()) == sorted(f"200 {number * 1000}" for number in range(50)),
        "echo": int(sizes[0]), "download": int(sizes[1]), "trailer": trailer[0] if trailer else None}


def one(path, seconds):
    outcome = curl("--max-time", seconds, "--output", "/dev/null", "--write-out",
                   "%{response_code} %{size_download} %{time_total}", f"{origin}{path}")
    status, size, spent = outcome.stdout.split()
    return {"path": path, "status": int(status), "bytes": int(size), "class": f"exit {outcome.returncode}",
            "text": outcome.stderr.strip(), "seconds": float(spent)}


if rest:
    for path in rest[1:]:
        print(json.dumps(one(path, rest[0])))
else:
    print(json.dumps(everything()))
