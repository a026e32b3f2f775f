"""What a client says in confidence is shown nowhere. world.Case searches each output and log of every case for it; this
one makes sure that every kind of secret passes by, and that every output is read."""

import json
import re

import world
from support import process, s3


class Secrets(world.Case):
    def test_no_output_shows_any_of_them(self):
        shop = self.origin("aws", s3.HOST, "shop.test", cookie=world.SECRETS["set-cookie"])
        job = self.container()
        self.attach(job)
        secrets = world.SECRETS
        following = self.daemon.begin(self.folder / "follow.jsonl", "flows", "-f", "--json")
        self.addCleanup(following.stop)
        self.python(job, "s3_call.py", "standard", "list_buckets", "{}")
        self.curl(job, "https://shop.test/", "--header", f"Authorization: Bearer {secrets['bearer']}",
                  "--header", f"Cookie: session={secrets['cookie']}", "--header", f"Proxy-Authorization: Basic {secrets['bearer']}")
        answer = self.curl(job, "https://shop.test/cookie", "--include")
        self.assertIn(secrets["set-cookie"], answer.out, "the client got its cookie")
        self.curl(job, f"https://{s3.HOST}/bytes/5?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Security-Token={secrets['session token']}"
                       f"&X-Amz-Signature={secrets['presigned signature']}", "--output", "/dev/null")
        arrived = json.dumps(shop.requests())
        for kind in ("session token", "bearer", "cookie", "presigned signature"):
            self.assertIn(secrets[kind], arrived, f"the origin got the {kind}: it did pass by")
        flows = self.daemon.waylay("flows").out + self.daemon.waylay("flows", "--json").out
        self.daemon.waylay("status")
        self.daemon.waylay("status", "--json")
        self.daemon.waylay("retries")
        self.daemon.waylay("retries", "--json")
        for number in sorted(set(re.findall(r"\b\d+\b", flows)), key=int)[:40]:
            self.daemon.waylay("show", number, check=False)
            self.daemon.waylay("show", number, "--json", check=False)
        for path in ("/v1/flows", "/v1/exchanges", "/v1/status", "/v1/retries", "/metrics"):
            answer = process.run(["curl", "--silent", "--max-time", "5", "--unix-socket", self.daemon.runtime / "waylay.sock",
                                  f"http://waylay{path}"], check=False)
            self.daemon.heard.append(answer.text)
        following.stop()
        self.daemon.heard.append(following.said())
        self.assertIn("shop.test", following.said(), "the stream did run")
