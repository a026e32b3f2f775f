"""What calls.go says, with a headless Chromium, by its DevTools protocol over a pipe. Its only root besides its own is the
certificate in the file named first: chromium.py CA.crt HOST, or chromium.py CA.crt HOST SECONDS PATH..."""

import json
import os
import pathlib
import subprocess
import sys
import time

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--disable-default-apps",
         "--disable-extensions", "--remote-debugging-pipe"]
CALLS = """(async () => {
  const size = async (path, options) => (await (await fetch(path, options)).arrayBuffer()).byteLength;
  const many = await Promise.all(Array.from({length: 50}, (_, i) => size(`/bytes/${i * 1000}`)));
  return JSON.stringify({
    many: many.every((bytes, i) => bytes === i * 1000),
    echo: await size('/echo', {method: 'POST', body: new Uint8Array(3000000)}),
    download: await size('/bytes/20000000'),
  });
})()"""
ONE = """(async () => {
  const seen = {status: 0, bytes: 0, class: 'none', text: ''};
  try {
    const answer = await fetch('%s', {signal: AbortSignal.timeout(%d)});
    seen.status = answer.status;
    for (const reader = answer.body.getReader();;) {
      const piece = await reader.read();
      if (piece.done) break;
      seen.bytes += piece.value.byteLength;
    }
  } catch (problem) { Object.assign(seen, {class: problem.name, text: problem.message}); }
  return JSON.stringify(seen);
})()"""


class Browser:
    """Messages are JSON, each ended by a NUL, on descriptors 3 (to it) and 4 (from it)."""

    def __init__(self, profile):
        to_it, self._to = os.pipe()
        self._from, from_it = os.pipe()
        keep = [os.dup2(end, number) for end, number in ((to_it, 30), (from_it, 40))]
        command = ["/usr/lib/chromium/chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(["bash", "-c", 'exec "$@" 3<&30 4>&40', "bash", *command], pass_fds=keep,
                                         stderr=open("/tmp/chromium.log", "wb"), stdout=subprocess.DEVNULL)
        for end in {to_it, from_it, *keep}:
            os.close(end)
        self._buffer, self._number, self.events = b"", 0, []
        self.ask("Target.setDiscoverTargets", discover=True)  # on a busy machine the first page comes after the first answer
        page = self.wait_for("Target.targetCreated", lambda found: found["targetInfo"]["type"] == "page")["targetInfo"]
        self._session = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]

    def ask(self, method, **words):
        self._number += 1
        message = {"id": self._number, "method": method, "params": words}
        if hasattr(self, "_session"):
            message["sessionId"] = self._session
        try:
            os.write(self._to, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            self._ended()
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _read(self):
        while b"\0" not in self._buffer:
            piece = os.read(self._from, 1 << 16)
            if not piece:
                self._ended()
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    @staticmethod
    def _ended():
        raise RuntimeError("Chromium ended: " + pathlib.Path("/tmp/chromium.log").read_text(errors="replace")[-2000:])

    def run(self, script):
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return json.loads(answer["result"]["value"])

    def wait_for(self, method, fits=lambda words: True):
        """The words of the next such event; those before it are past, such as that an empty page was loaded."""
        while True:
            event = self.events.pop(0) if self.events else self._read()
            if event.get("method") == method and fits(event["params"]):
                return event["params"]

    def close(self):
        self._process.kill()  # all is said, and how long its end takes depends on the machine
        self._process.wait()


def trust(certificate):
    """Chromium takes further roots from the user's NSS database."""
    database = pathlib.Path.home() / ".pki" / "nssdb"
    database.mkdir(parents=True, exist_ok=True)
    for words in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "waylay", "-i", certificate]):
        subprocess.run(["certutil", "-d", f"sql:{database}", *words], check=True, capture_output=True)


certificate, host, *rest = sys.argv[1:]
trust(certificate)
browser = Browser("/tmp/profile")
try:
    browser.ask("Network.enable")
    browser.ask("Page.enable")
    browser.ask("Page.navigate", url=f"https://{host}/")
    page = browser.wait_for("Network.responseReceived")["response"]
    browser.wait_for("Page.loadEventFired")
    if rest:
        for path in rest[1:]:
            start = time.monotonic()
            seen = browser.run(ONE % (path, int(rest[0]) * 1000))
            print(json.dumps({"path": path, **seen, "seconds": time.monotonic() - start}))
    else:
        print(json.dumps({"protocol": page["protocol"], "issuer": page["securityDetails"]["issuer"], **browser.run(CALLS)}))
finally:
    browser.close()
