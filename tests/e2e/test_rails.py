"""What keeps rules from doing harm: versions and the way back, holds, exact limits, dry runs, scenarios."""

import json
import os
import signal

import world
from support import s3


def rule(name, **members):
    return {"name": name, "match": 'http.host == "shop.test"', **members}


class Case(world.Case):
    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop")
        self.job = self.container()
        self.attach(self.job)

    def code(self, path="/", *options):
        return self.curl(self.job, f"https://shop.test{path}", "--output", "/dev/null", "--write-out", "%{http_code}",
                         *options).out

    def names(self):
        return [one["name"] for one in self.daemon.read("rules", "list")]

    def rules_file(self, name, *rules, folder=None):
        path = (folder or self.folder) / name
        path.write_text(json.dumps({"rules": list(rules)}, indent=2))
        return path


class Versions(Case):
    def test_a_hangup_reads_the_files_again_and_a_wrong_one_changes_nothing(self):
        self.rules_file("a.json", rule("a", status=503, times=2), folder=self.daemon.rules)
        os.kill(self.daemon.warden, signal.SIGHUP)
        world.process.until(lambda: self.names() == ["a"], 10, "the file is read", also=self.daemon.said)
        self.assertEqual(self.code(), "503")
        self.rules_file("b.json", rule("b", status=42), folder=self.daemon.rules)
        os.kill(self.daemon.warden, signal.SIGHUP)
        world.process.until(lambda: "b.json: /rules/0/status: 42" in self.daemon.said(), 10, "it is said what is wrong")
        self.assertEqual(self.names(), ["a"])
        self.assert_refused(self.daemon.waylay("rules", "load", check=False), "b.json: /rules/0/status: 42")
        (self.daemon.rules / "b.json").write_text('{"name": "b",\n "match": oops}')
        self.assert_refused(self.daemon.waylay("rules", "load", check=False), "b.json: line 2, column 11")
        self.rules_file("b.json", rule("b", delay="1ms"), folder=self.daemon.rules)
        self.assertIn("2 rules", self.daemon.waylay("rules", "load").out)
        self.assertEqual([self.code(), self.code()], ["503", "200"])  # a went on counting

    def test_a_difference_is_shown_before_it_is_made_and_a_version_comes_back(self):
        file = self.rules_file("busy.json", rule("busy", status=503), rule("calm", delay="1ms"))
        told = self.daemon.waylay("rules", "diff", file).out
        self.assertIn("+ busy", told)
        self.assertEqual(self.names(), [])
        self.daemon.waylay("rules", "load", file)
        before = self.daemon.read("rules", "history")[0]["version"]
        self.rules_file("busy.json", rule("busy", status=500))
        told = self.daemon.waylay("rules", "diff", file).out
        self.assertIn("~ busy\n", told)
        self.assertIn('-  "status": 503\n', told)
        self.assertIn('+  "status": 500\n', told)
        self.assertIn("- calm", told)
        self.daemon.waylay("rules", "load", "--replace", file)
        self.assertEqual(self.code(), "500")
        newest = self.daemon.read("rules", "history")[0]
        self.assertIn("removed calm; changed busy", newest["what"])
        self.assertRegex(newest["who"], r"uid=0 pid=\d+")
        self.assertIn("removed calm", self.daemon.waylay("rules", "history").out)
        self.assertIn("- calm", self.daemon.waylay("rules", "diff", "--from", str(before)).out)
        self.assertIn("added calm; changed busy", self.daemon.waylay("rules", "rollback", str(before)).out)
        self.assertEqual(self.code(), "503")
        self.assertEqual(self.names(), ["busy", "calm"])
        self.assertEqual(self.daemon.waylay("rules", "diff", "--from", str(before)).out, "no difference\n")
        self.assert_refused(self.daemon.waylay("rules", "rollback", "1000", check=False), "no version 1000")

    def test_several_files_are_loaded_all_or_none(self):
        good = self.rules_file("good.json", rule("good", status=503))
        bad = self.rules_file("bad.json", rule("bad", match="http.hots", status=503))
        outcome = self.daemon.waylay("rules", "load", good, bad, check=False)
        self.assert_refused(outcome, "bad.json: /rules/0/match", "line 1, column 1", "http.host")
        self.assertEqual(self.names(), [])

    def test_times_is_exact_over_all_workers_and_connections(self):
        self.daemon.waylay("rules", "add", "some", "--match", 'http.host == "shop.test"', "--status", "503", "--times", "37")
        codes = self.python(self.job, "burst.py", "shop.test", "100", "20")
        self.assertEqual(codes, {"503": 37, "200": 63})
        self.assertEqual(self.only(self.daemon.read("rules", "list"))["hits"], 37)


class Hold(Case):
    OPTIONS = ("--match", 'http.host == "shop.test"', "--status", "503")

    def test_rules_act_while_the_command_runs_and_not_a_moment_longer(self):
        seen = self.folder / "seen"
        held = self.daemon.waylay("hold", *self.OPTIONS, "--", "sh", "-c",
                                  f"{self.session.build}/waylay --runtime-dir {self.daemon.runtime} rules list > {seen}; exit 7",
                                  check=False)
        self.assertEqual(held.status, 7, held)
        self.assertIn("hold", seen.read_text())
        self.assertEqual(self.names(), [])

    def test_a_hold_that_is_killed_takes_its_rules_with_it(self):
        holding = self.daemon.begin(self.folder / "hold.log", "hold", "busy", *self.OPTIONS)
        self.addCleanup(holding.stop)
        world.process.until(lambda: "holding busy" in holding.said(), 10, "the hold says that it holds")
        self.assertEqual(self.code(), "503")
        listed = self.only(self.daemon.read("rules", "list"))
        self.assertEqual((listed["source"], listed["seconds_left"] > 3500), ("hold", True))
        self.assert_refused(self.daemon.waylay("rules", "remove", "busy", check=False), "is held by uid=0")
        holding.signal(signal.SIGKILL)
        world.process.until(lambda: self.names() == [], 5, "the rules are gone")
        self.assertEqual(self.code(), "200")

    def test_an_interrupt_ends_a_hold_and_off_stops_it(self):
        file = self.rules_file("outage.json", rule("one", status=503), rule("two", delay="1ms"))
        holding = self.daemon.begin(self.folder / "hold.log", "hold", "--file", file)
        self.addCleanup(holding.stop)
        world.process.until(lambda: "holding one, two" in holding.said(), 10, "the hold says that it holds")
        self.daemon.waylay("off")
        self.assertEqual(self.code(), "200")
        self.daemon.waylay("on")
        self.assertEqual(self.code(), "503")
        holding.signal(signal.SIGINT)
        self.assertEqual(holding.child.wait(10), 0)
        self.assertEqual(self.code(), "200")
        self.assertEqual(self.names(), [])

    def test_a_daemon_that_goes_away_is_told_and_the_command_goes_on(self):
        holding = self.daemon.begin(self.folder / "hold.log", "hold", *self.OPTIONS, "--", "sh", "-c", "sleep 4; exit 3")
        self.addCleanup(holding.stop)
        world.process.until(lambda: "holding" in holding.said(), 10, "the hold says that it holds")
        self.daemon.kill("warden", "proxy")
        self.assertEqual(holding.child.wait(15), 3)
        self.assertIn("has ended the hold", holding.said())

    def test_a_rule_that_is_wrong_starts_no_command(self):
        never = self.folder / "never"
        outcome = self.daemon.waylay("hold", '{"name": "x", "match": "http.hots", "status": 503}', "--", "touch", never,
                                     check=False)
        self.assert_refused(outcome, "line 1, column 1")
        self.assertFalse(never.exists())


class DryRun(Case):
    def test_live_traffic_is_counted_and_left_alone(self):
        counting = self.daemon.begin(self.folder / "count.json", "rules", "dry-run", "--live", "12s", "--json", "--match",
                                     'http.host == "shop.test" and http.response.code == 200', "--status", "503", "--times", "2")
        self.addCleanup(counting.stop)
        world.process.until(lambda: "counting for 12s" in counting.said(), 10, "the dry run says that it counts")
        codes = [self.code() for _ in range(5)]
        self.assertEqual(codes, ["200"] * 5)
        self.assertEqual(counting.wait(30), 0)
        report = json.loads([line for line in counting.said().splitlines() if line.startswith("{")][-1])
        rule_report = self.only(report["rules"])
        self.assertEqual((rule_report["matched"], rule_report["would_act"]), (5, 2))
        self.assertEqual(self.names(), [])


class Scenarios(world.Case):
    BUCKETS = ("list_buckets", "{}")
    TABLES = ("dynamodb:list_tables", "{}")

    def setUp(self):
        super().setUp()
        self.aws = self.origin("aws", s3.HOST, "dynamodb.eu-west-1.amazonaws.com")
        self.job = self.container()
        self.attach(self.job)

    def call(self, mode, *what):
        outcome = self.python(self.job, "s3_call.py", mode, *what)
        return outcome.get("code") if not outcome["ok"] else "ok", outcome["status"], outcome["retries"]

    def start(self, name, *settings):
        return self.daemon.waylay("scenarios", "start", name, *(word for one in settings for word in ("--set", one)))

    def stop(self, name):
        return self.daemon.waylay("scenarios", "stop", name)

    def curl_s3(self, *options):
        return self.curl(self.job, f"https://{s3.HOST}/", "--output", "/dev/null", *options, check=False)

    def test_a_scenario_runs_for_its_time_and_only_once_and_stops_as_a_whole(self):
        self.daemon.waylay("rules", "add", "mine", "--match", "http.host", "--set-header", "x-mine: 1")
        self.assertRegex(self.daemon.waylay("scenarios", "start", "s3-slowdown", "--for", "5m").out, "runs, (5m 0|4m 5)")
        self.assertRegex(self.daemon.waylay("scenarios").out, r"s3-slowdown +runs, \dm \d+s left")
        self.assert_refused(self.daemon.waylay("scenarios", "start", "s3-slowdown", check=False), "runs already")
        self.assert_refused(self.daemon.waylay("scenarios", "start", "s3-slowdwon", check=False), "s3-slowdown")
        self.assert_refused(self.daemon.waylay("rules", "remove", "s3-slowdown", check=False), "waylay scenarios stop")
        self.assertIn("2 rules removed", self.stop("s3-slowdown").out)
        self.assertEqual([one["name"] for one in self.daemon.read("rules", "list")], ["mine"])
        self.daemon.waylay("scenarios", "start", "slow-first-byte", "--for", "1s")
        state = lambda: [one["running"] for one in self.daemon.read("scenarios", "list") if one["running"]]
        world.process.until(lambda: state()[0]["over"], 10, "its time is over")
        self.daemon.waylay("scenarios", "start", "slow-first-byte")
        self.daemon.waylay("scenarios", "stop", "--all")
        self.assertEqual(state(), [])

    def test_talk_is_retried_by_legacy_mode_and_not_by_standard_mode(self):
        self.start("talk", "rate=1")
        self.assertEqual(self.call("standard", *self.BUCKETS)[1:], (429, 0))
        self.assertEqual(self.call("legacy", *self.BUCKETS)[1:], (429, 4))

    def test_s3_slowdown_is_what_s3_sends(self):
        self.start("s3-slowdown", "rate=1")
        self.assertEqual(self.call("standard", *self.BUCKETS), ("SlowDown", 503, 2))
        self.assertEqual(self.aws.requests(), [])

    def test_dynamodb_hot_partition_is_what_dynamodb_sends(self):
        self.start("dynamodb-hot-partition", "rate=1")
        self.assertEqual(self.call("standard", *self.TABLES), ("ProvisionedThroughputExceededException", 400, 2))
        self.assertEqual(self.call("standard", *self.BUCKETS)[0], "ok")

    def test_flaky_network_resets_connections(self):
        self.start("flaky-network", "rate=1")
        self.assertEqual(self.curl_s3().status, 56)

    def test_slow_first_byte_waits(self):
        self.start("slow-first-byte")
        self.assertGreaterEqual(float(self.curl_s3("--write-out", "%{time_starttransfer}").out), 3.0)

    def test_a_dribbling_body_takes_its_time(self):
        self.start("dribbling-body")
        took = self.curl(self.job, f"https://{s3.HOST}/bytes/2000", "--output", "/dev/null", "--write-out", "%{time_total}").out
        self.assertGreaterEqual(float(took), 2.0)

    def test_a_renewal_gone_wrong_is_told_plainly(self):
        self.start("tls-renewal", f'match=tls.sni == "{s3.HOST}"')
        refused = self.curl(self.job, f"https://{s3.HOST}/", check=False)
        self.assertEqual(refused.status, 60, refused)  # curl: the peer's certificate cannot be verified
        self.assertIn("expired", refused.err)

    def test_expired_credentials_are_not_retried(self):
        self.start("expired-credentials", "times=1")
        self.assertEqual(self.call("standard", *self.TABLES), ("ExpiredTokenException", 400, 0))
        self.assertEqual(self.call("standard", *self.TABLES)[0], "ok")
