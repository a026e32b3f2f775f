"""What `./dev demo` shows: a running container's S3 calls, throttled on purpose, retried by boto3, explained by Waylay.

Everything is this demo's own and is removed at its end: a private Docker engine, one container without any network, and
one waylayd. Nothing of AWS is called: the answers come from rules in the daemon, and the keys are dummies.
"""

import os
import pathlib
import re
import signal
import sys
import threading
import time

top = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(top / "tests"))

from support import daemon, engine, place, process  # noqa: E402  (needs the path above)

CONTAINER = "report-job"
HOSTS = "127.0.0.1 localhost\n192.0.2.1 s3.eu-west-1.amazonaws.com\n"  # an address that leads nowhere (RFC 5737)
JOB_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIDDEMO000000000000", "AWS_SECRET_ACCESS_KEY": "not-a-key",
                   "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", "PYTHONUNBUFFERED": "1"}
READS = 'aws.operation == "GetObject"'
MOCK = ("rules", "add", "answer", "--match", 'aws.service == "s3"', "--respond", "200", "--body", "november,42")
color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if color else text


def title(number, text):
    print(f"\n{paint('1', f'{number}. {text}')}", flush=True)


def tell(text):
    for line in text.strip().splitlines():
        print(f"   {line.strip()}", flush=True)


class Follower:
    """Shows what a growing file says, line by line, behind a label."""

    def __init__(self, label, code, read):
        self._label, self._code, self._read = label, code, read
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self):
        shown = 0
        while True:
            last = self._end.wait(0.1)
            text = self._read()
            complete = text.rfind("\n") + 1
            for line in text[shown:complete].splitlines():
                print(f"   {paint(self._code, f'{self._label:>5} |')} {line}", flush=True)
            shown = max(shown, complete)
            if last:
                return

    def stop(self):
        self._end.set()
        self._thread.join()


class Demo:
    def __init__(self, build):
        self.place = place.Place()
        self.engine = self.waylayd = self.flows = None
        self.followers = []
        self._build = build

    def start(self):
        self.engine = engine.Engine(self.place)
        self.engine.make_image(b"")
        self.waylayd = daemon.Daemon(self._build, self.place.folder("waylayd"), self.place.short / "run",
                                     docker_socket=self.engine.socket).start()
        self.job = self.engine.start(CONTAINER, ["/usr/bin/python3", "-B", "/job/job.py"], hosts=HOSTS,
                                     environment=JOB_ENVIRONMENT, volumes=[(top / "demo", "/job:ro")])
        self._job_log = process.Background(
            [engine.tool("docker"), "-H", f"unix://{self.engine.socket}", "logs", "--follow", CONTAINER],
            self.place.large / "job.log", env=engine.plain_environment())
        self.follow("job", "36", self._job_log.said)

    def follow(self, label, code, read):
        self.followers.append(Follower(label, code, read))

    def waylay(self, *words):
        print(f"   {paint('32', '$')} waylay {' '.join(quoted(word) for word in words)}", flush=True)
        outcome = self.waylayd.waylay(*words)
        for line in outcome.text.splitlines():
            print(f"     {line}", flush=True)
        return outcome.out

    def follow_flows(self):
        print(f"   {paint('32', '$')} waylay flows -f", flush=True)
        self.flows = self.waylayd.begin(self.place.large / "flows.log", "flows", "-f")
        self.follow("flows", "33", self.flows.said)

    def wait_for(self, words, seconds):
        process.until(lambda: words in self._job_log.said(), seconds, f'the job says "{words}"',
                      also=lambda: self._job_log.said() + self.waylayd.said()[-3000:])
        time.sleep(0.3)  # what was said is shown before what comes next

    def job_said(self):
        return self._job_log.said()

    def stop_following(self):
        if self.flows:
            self.flows.stop()
        for follower in self.followers:
            follower.stop()
        self.followers = []

    def remove(self):
        self.stop_following()
        try:
            if self.waylayd:
                self.waylayd.stop()
        finally:
            if self.engine:
                self.engine.stop()
            self.place.remove()


def quoted(word):
    text = str(word)
    return text if re.fullmatch(r"[\w./:=@%+,-]+", text) else "'" + text + "'"


def slow_down(demo):
    title(2, "Rules: S3 says SlowDown to the first two attempts of each call, and answers the third")
    tell("""The fault has the exact shape that S3 sends: 503, <Code>SlowDown</Code>. There is no S3 here, so a mock in the
            daemon gives the good answers; with a real upstream you would leave the mocks out.""")
    demo.waylay("rules", "add", "slow-down", "--match", f"{READS} and aws.attempt <= 2", "--fault", "aws:slowdown")
    demo.waylay(*MOCK)


def talk(demo):
    title(2, "The talk's trick: a good response whose status alone becomes 429")
    tell("""The body stays the good one; only the status says "too many requests". There is no S3 here, so a mock in the
            daemon gives that answer; with a real upstream the rule would be just: --status 429.""")
    demo.waylay("rules", "add", "trick", "--match", READS, "--respond", "429", "--body", "november,42")
    demo.waylay(*MOCK)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    is_talk = os.environ.get("WAYLAY_DEMO") == "talk"
    demo = Demo(pathlib.Path(sys.argv[1]).resolve())
    try:
        title(1, "A container runs a job that reads a report from S3")
        tell("""It is unmodified boto3 in a real Docker container, on --network none: no route, no proxy setting, no change to
                the image. So for now its calls fail.""")
        demo.start()
        demo.wait_for("waiting", 30)
        (talk if is_talk else slow_down)(demo)
        title(3, "Waylay attaches to the container while it runs")
        tell("""The kernel redirects the container's new connections to the daemon, and the daemon's certificate authority is
                merged into the trust bundles that its processes read. Nothing is restarted.""")
        demo.waylay("attach", f"docker:{CONTAINER}")
        title(4, "Live: what the job says, and the flows as they pass")
        demo.follow_flows()
        demo.wait_for("done", 120)
        demo.stop_following()
        title(5, "The retry ledger: which calls were retried, why, and what it cost")
        if is_talk:
            tell("A call counts as given up when no further attempt has come for a while; a moment, please.")
            process.until(lambda: "did not retry" in demo.waylayd.waylay("retries").out, 60, "the ledger has made up its mind")
        ledger = demo.waylay("retries")
        title(6, "What to take home")
        tell(conclusion(is_talk, demo.job_said(), ledger))
        demo.waylay("detach", f"docker:{CONTAINER}")
    finally:
        title(7, "Removing everything the demo made: container, Docker engine, daemon, files")
        demo.remove()
    return 0


def conclusion(is_talk, said, ledger):
    attempts = dict(re.findall(r"^(legacy|standard) .*?(\d+) requests?", said, re.MULTILINE))
    if is_talk:
        hold(attempts == {"legacy": "5", "standard": "1"}, f"legacy makes 5 requests and standard 1, not {attempts}")
        hold("legacy retried it" in ledger and "standard did not retry it" in ledger, "the ledger finds just that")
        return """A bare 429 is retried by boto3's legacy mode (5 requests) and not at all by its standard mode (1 request):
                  standard looks at the error code in the body, and the body is still the good one. The ledger above shows it
                  from the outside, without a look into the job."""
    hold(attempts == {"legacy": "3", "standard": "3"}, f"both modes make 3 requests a call, not {attempts}")
    hold("GetObject" in ledger, "the ledger names the operation")
    return """Both retry modes took SlowDown for what it is: two more requests a call, and the job never knew but for the
              time. The ledger says how much time, and which rule caused it. Try WAYLAY_DEMO=talk ./dev demo next."""


def hold(true, what):
    if not true:
        raise AssertionError(f"the demo did not go as it should: {what}")


if __name__ == "__main__":
    sys.exit(main())
