"""Rules, and the ledger that tells what they caused."""

import json

import world
from support import s3

LIST = ("list_buckets", "{}")


class Rules(world.Case):
    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop")
        self.job = self.container()
        self.attach(self.job)

    def get(self, path="/", *options, check=True):
        return self.curl(self.job, f"https://shop.test{path}", *options, check=check).out

    def code(self, path="/", *options):
        return self.get(path, "--output", "/dev/null", "--write-out", "%{http_code}", *options)

    def rule(self, name, *options):
        return self.daemon.waylay("rules", "add", name, *options)

    def test_a_status_is_rewritten_and_the_body_is_left_as_it_was(self):
        self.rule("busy", "--match", 'http.host == "shop.test"', "--status", "429", "--reason", "Slow Please")
        answer = self.get("/bytes/1000", "--include")
        self.assertTrue(answer.startswith("HTTP/1.1 429 Slow Please"), answer[:100])
        self.assertEqual(self.code("/bytes/1000", "--write-out", " %{size_download}"), " 1000")
        self.daemon.waylay("rules", "remove", "busy")
        self.assertEqual(self.code(), "200")

    def test_a_rule_that_does_not_match_changes_nothing(self):
        self.rule("other", "--match", 'http.host == "elsewhere.test"', "--status", "500")
        self.assertEqual(self.code(), "200")

    def test_times_counts_exactly(self):
        self.rule("twice", "--match", 'http.host == "shop.test"', "--status", "503", "--times", "2")
        self.assertEqual([self.code() for _ in range(4)], ["503", "503", "200", "200"])

    def test_every_nth_is_taken_and_a_seed_repeats_its_decisions(self):
        self.rule("third", "--match", 'http.host == "shop.test"', "--status", "503", "--every", "3")
        self.assertEqual([self.code() for _ in range(6)], ["200", "200", "503"] * 2)
        self.daemon.waylay("rules", "remove", "third")
        runs = []
        for _ in range(2):
            self.rule("chance", "--match", 'http.host == "shop.test"', "--status", "503", "--probability", "0.5",
                      "--seed", "7")
            runs.append([self.code() for _ in range(12)])
            self.daemon.waylay("rules", "remove", "chance")
        self.assertEqual(runs[0], runs[1])
        self.assertEqual(set(runs[0]), {"200", "503"})

    def test_a_fault_counts_down_and_ends(self):
        self.rule("usual", "--match", 'http.host == "elsewhere.test"', "--abort")
        self.rule("brief", "--match", 'http.host == "shop.test"', "--status", "503", "--for", "4s")
        self.assertEqual(self.code(), "503")
        usual, brief = self.daemon.read("rules", "list")
        self.assertTrue(3500 < usual["seconds_left"] <= 3600, usual)
        self.assertTrue(0 <= brief["seconds_left"] <= 4, brief)
        state = lambda: self.daemon.read("rules", "list")[1]["state"]
        world.process.until(lambda: state() == "expired", 10, "the rule expires")
        self.assertEqual(self.code(), "200")
        self.assertIn("brief (expired)", self.daemon.waylay("rules", "list").out)

    def test_off_stops_every_fault_and_on_brings_them_back(self):
        self.rule("busy", "--match", 'http.host == "shop.test"', "--status", "503")
        self.rule("mark", "--match", 'http.host == "shop.test"', "--set-header", "x-waylaid: yes")
        self.assertEqual(self.code(), "503")
        self.daemon.waylay("off")
        answer = self.get("/", "--include")
        self.assertIn(" 200 ", answer.splitlines()[0])
        self.assertIn("x-waylaid: yes", answer.lower())  # interception goes on
        self.rule("more", "--match", 'http.host == "shop.test"', "--abort")
        self.assertEqual(self.code(), "200")
        self.assertIn('until "waylay on"', self.daemon.waylay("status").out)
        self.assertIn("busy (off)", self.daemon.waylay("rules", "list").out)
        self.daemon.waylay("rules", "remove", "more")
        self.daemon.waylay("on")
        self.assertEqual(self.code(), "503")

    def test_lint_names_the_fact_and_the_fix_and_adds_nothing(self):
        file = self.folder / "trick.json"
        file.write_text('{"name": "trick", "match": "", "status": 429}')
        told = self.daemon.waylay("rules", "lint", file)
        self.assertIn("standard and adaptive modes do not retry a 429", told.out)
        self.assertIn("aws:throttle", told.out)
        self.assertEqual(self.daemon.waylay("rules", "lint", "--strict", file, check=False).status, 1)
        self.assertEqual(self.daemon.read("rules", "list"), [])
        self.assertIn("no warnings", self.daemon.waylay("rules", "lint", "--strict").out)
        self.daemon.waylay("rules", "load", file)
        self.assertEqual([warning["kind"] for warning in self.daemon.read("rules", "lint")], ["bare-429"])

    def test_headers_are_set_added_and_removed(self):
        self.rule("headers", "--match", 'http.host == "shop.test"', "--set-header", "x-waylaid: yes",
                  "--add-header", "x-origin: another", "--remove-header", "server")
        answer = self.get("/", "--include").lower()
        self.assertIn("x-waylaid: yes", answer)
        self.assertIn("x-origin: shop", answer)
        self.assertIn("x-origin: another", answer)
        self.assertNotIn("\nserver:", answer)

    def test_a_delay_makes_the_client_wait(self):
        self.rule("slow", "--match", 'http.host == "shop.test"', "--delay", "3s")
        took = float(self.get("/", "--output", "/dev/null", "--write-out", "%{time_total}"))
        self.assertGreaterEqual(took, 3.0)

    def test_a_mock_answers_in_the_origins_place(self):
        self.rule("mock", "--match", 'http.host == "shop.test"', "--respond", "418", "--body", "short and stout")
        answer = self.get("/", "--include")
        self.assertIn("418", answer.splitlines()[0])
        self.assertIn("short and stout", answer)
        self.assertEqual(self.shop.requests(), [])

    def test_a_mock_needs_no_upstream(self):
        self.internet.names["nobody.test"] = ("203.0.113.250", "2001:db8:ffff::250")
        lonely = self.container("lonely")
        self.attach(lonely)
        self.rule("mock", "--match", 'http.host == "nobody.test"', "--respond", "200", "--body", "made up")
        self.assertEqual(self.curl(lonely, "https://nobody.test/").out, "made up")

    def test_a_mocks_body_can_come_from_a_file(self):
        body = self.folder / "body.json"
        body.write_text('{"from": "a file"}')
        self.rule("mock", "--match", 'http.host == "shop.test"', "--respond", "200", "--body-file", body)
        self.assertEqual(self.get(), '{"from": "a file"}')

    def test_abort_resets_the_connection(self):
        self.rule("abort", "--match", 'http.host == "shop.test"', "--abort")
        outcome = self.curl(self.job, "https://shop.test/", check=False)
        self.assertEqual(outcome.status, 56, outcome)  # curl: failure in receiving network data
        self.assertIn("reset", outcome.err.lower())

    def test_rules_come_from_files_and_are_listed(self):
        file = self.folder / "rules.json"
        file.write_text('// for a rainy day\n{"rules": [{"name": "rain", "match": "http.request.uri contains \\"/bytes\\"",\n'
                        '  "status": 507, "headers": {"set": {"x-rain": "1"}}, "times": 1}]}\n')
        self.daemon.waylay("rules", "load", file)
        listed = self.daemon.read("rules", "list")
        self.assertEqual([rule["name"] for rule in listed], ["rain"])
        self.assertIn("rain", self.daemon.waylay("rules", "list").out)
        self.assertEqual([self.code("/bytes/1"), self.code("/bytes/1")], ["507", "200"])
        self.daemon.waylay("rules", "remove", "--all")
        self.assertEqual(self.daemon.read("rules", "list"), [])

    def test_a_rule_set_stays_with_its_exchange_and_reaches_the_next_one_on_the_same_connection(self):
        calls = self.begin_python(self.job, "keep_alive.py", "shop.test", "30")
        calls.wait_for(3, 10, "the client is calling")
        self.rule("mark", "--match", 'http.host == "shop.test"', "--status", "201")
        calls.wait_for(10, 10, "calls with the rule")
        calls.stop()
        self.assertEqual(calls.problems(), [])
        self.assertIn("201", self.daemon.waylay("flows").out)

    def test_flows_can_be_followed_and_filtered(self):
        following = self.daemon.begin(self.folder / "follow.jsonl", "flows", "-f", "--json", "--match",
                                      'http.request.uri contains "wanted"')
        self.addCleanup(following.stop)
        world.process.until(lambda: following.is_running(), 5, "flows -f runs")
        for _ in range(50):  # the first one may come before the subscription
            self.code("/bytes/1?wanted")
            self.code("/bytes/1?other")
            if "wanted" in following.said():
                break
        self.assertIn("wanted", following.said())
        self.assertNotIn("other", following.said())
        for line in following.said().splitlines():
            json.loads(line)


class Ledger(world.Case):
    def setUp(self):
        super().setUp()
        self.aws = self.origin("aws", s3.HOST, "dynamodb.eu-west-1.amazonaws.com")
        self.job = self.container()
        self.attach(self.job)

    def call(self, mode, *what):
        return self.python(self.job, "s3_call.py", mode, *what)

    def test_slow_down_injected_into_two_attempts_is_retried_and_explained(self):
        self.daemon.waylay("rules", "add", "slow", "--match", 'aws.service == "s3" and aws.attempt <= 2',
                           "--fault", "aws:slowdown")
        self.assertEqual(self.call("standard", *LIST), {"ok": True, "status": 200, "retries": 2})
        self.assertEqual(self.call("legacy", *LIST), {"ok": True, "status": 200, "retries": 2})
        self.assertLessEqual(len(self.aws.requests()), 6)
        ledger = self.daemon.read_lines("retries")
        retried = [entry for entry in ledger if "ListBuckets" in str(entry)]
        self.assertTrue(retried, ledger)
        shown = self.daemon.waylay("retries").out
        for word in ("ListBuckets", "503", "slow", "injected"):
            self.assertIn(word, shown)

    def test_attempts_of_a_call_are_a_limit_of_the_rule(self):
        self.daemon.waylay("rules", "add", "slow", "--match", 'aws.service == "s3"', "--attempts", "1-2",
                           "--fault", "aws:slowdown")
        self.assertEqual(self.call("standard", *LIST), {"ok": True, "status": 200, "retries": 2})
        self.assertEqual(len(self.aws.requests()), 1)

    def test_a_slow_down_that_never_ends_is_what_boto3_reports(self):
        self.daemon.waylay("rules", "add", "slow", "--match", 'aws.service == "s3"', "--fault", "aws:slowdown")
        outcome = self.call("standard", *LIST)
        self.assertEqual((outcome["ok"], outcome["code"], outcome["status"], outcome["retries"]), (False, "SlowDown", 503, 2))

    def test_dynamodb_throttling_has_the_shape_that_the_sdk_knows(self):
        self.daemon.waylay("rules", "add", "throttle", "--match", 'aws.service == "dynamodb"', "--fault", "aws:throttle")
        outcome = self.call("standard", "dynamodb:list_tables", "{}")
        self.assertEqual((outcome["ok"], outcome["code"], outcome["status"], outcome["retries"]),
                         (False, "ProvisionedThroughputExceededException", 400, 2))

    def test_each_profile_becomes_the_error_that_the_sdk_knows(self):
        for name, operation, code, status, retries in (
                ("unavailable", LIST, "ServiceUnavailable", 503, 2),
                ("internal", ("dynamodb:list_tables", "{}"), "InternalServerError", 500, 2),
                ("timeout", LIST, "RequestTimeout", 400, 2),
                ("expired-token", ("dynamodb:list_tables", "{}"), "ExpiredTokenException", 400, 0),
                ("access-denied", LIST, "AccessDenied", 403, 0)):
            self.daemon.waylay("rules", "add", name, "--match", "aws.service", "--fault", f"aws:{name}")
            outcome = self.call("standard", *operation)
            self.assertEqual((outcome["ok"], outcome["code"], outcome["status"], outcome["retries"]),
                             (False, code, status, retries), name)
            self.daemon.waylay("rules", "remove", name)
            self.assertIn(f"aws:{name}", self.daemon.waylay("rules", "faults").out)

    def test_an_organic_failure_is_told_from_an_injected_one(self):
        self.assertIn("1", self.curl(self.job, f"https://{s3.HOST}/status/500", "--header",
                                     "amz-sdk-invocation-id: 6f1c7a52-0d4b-4c53-9d4e-0d4a5e2c1b11", "--header",
                                     "amz-sdk-request: attempt=1", "--output", "/dev/null", "--write-out", "%{num_connects}").out)
        self.curl(self.job, f"https://{s3.HOST}/", "--header", "amz-sdk-invocation-id: 6f1c7a52-0d4b-4c53-9d4e-0d4a5e2c1b11",
                  "--header", "amz-sdk-request: ttl=20261122T023030Z; attempt=2; max=3")
        entry = self.only([line for line in self.daemon.read_lines("retries") if "6f1c7a52" in str(line)])
        self.assertIn("500", str(entry))
        self.assertIn("organic", self.daemon.waylay("retries").out)
