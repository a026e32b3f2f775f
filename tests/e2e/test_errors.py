"""Mistakes get a clear error and a non-zero exit status, and change nothing."""

import world
from support import process


class Errors(world.Case):
    def fails(self, *words, telling=()):
        outcome = self.daemon.waylay(*words, check=False)
        self.assert_refused(outcome, *telling)
        self.assertNotIn("terminate called", outcome.text)
        return outcome

    def load(self, text):
        file = self.folder / "bad.json"
        file.write_text(text)
        return file

    def rules(self):
        return self.daemon.read("rules", "list")

    def test_a_rules_file_that_is_not_json_by_line_and_column(self):
        file = self.load('{"rules": [\n  {"name": "a",, "match": "", "status": 500}\n]}\n')
        outcome = self.fails("rules", "load", file, telling=[str(file)])
        self.assertRegex(outcome.text, r"2:1\d|line 2,? column 1\d")
        self.assertEqual(self.rules(), [])

    def test_a_wrong_value_in_a_rules_file_by_file_and_pointer(self):
        file = self.load('{"rules": [{"name": "fine", "match": "", "status": 500}, {"name": "a", "match": "", "status": "many"}]}')
        self.fails("rules", "load", file, telling=[str(file), "/rules/1/status"])
        self.assertEqual(self.rules(), [], "not one rule of a bad file is taken")

    def test_an_unknown_member_of_a_rule(self):
        file = self.load('{"rules": [{"name": "a", "match": "", "stauts": 500}]}')
        self.fails("rules", "load", file, telling=["stauts", "status"])

    def test_a_bad_expression_by_line_column_and_nearest_name(self):
        outcome = self.fails("rules", "add", "a", "--match", 'http.hots == "x"', "--status", "500", telling=["http.host"])
        self.assertRegex(outcome.text, r"1:1|line 1,? column 1")
        self.fails("rules", "add", "a", "--match", "http.host ==", "--status", "500")
        self.fails("rules", "add", "a", "--match", 'http.response.code == "x"', "--status", "500")
        self.fails("flows", "--match", "http.host ==")
        self.assertEqual(self.rules(), [])

    def test_a_rule_without_an_action_or_with_nonsense(self):
        match = ("rules", "add", "a", "--match", 'http.host == "x"')
        self.fails(*match, telling=["action"])
        self.fails(*match, "--status", "99999", telling=["99999"])
        self.fails(*match, "--delay", "soon", telling=["soon"])
        self.fails(*match, "--fault", "aws:nonsense", telling=["nonsense"])
        self.fails("rules", "remove", "never-there", telling=["never-there"])
        self.assertEqual(self.rules(), [])

    def test_an_unknown_container(self):
        self.fails("attach", "docker:no-such-thing", telling=["no-such-thing"])
        self.fails("attach", "no-such-thing", telling=["no-such-thing"])
        self.fails("attach", "pid:999999999")
        self.fails("attach", "cgroup:/no/such/group", telling=["/no/such/group"])
        self.fails("attach", "nonsense:x")

    def test_attaching_twice(self):
        shop = self.origin("shop")
        job = self.container()
        self.attach(job)
        self.fails("attach", f"docker:{job.name}", telling=["already"])
        self.assert_intercepted(job, "shop.test", shop)

    def test_detaching_what_is_not_attached(self):
        job = self.container()
        self.fails("detach", f"docker:{job.name}", telling=["not attached"])

    def test_a_second_daemon_in_the_same_runtime_directory(self):
        second = process.run([*self.daemon.command], check=False, timeout=20)
        self.assert_refused(second)
        self.assertRegex(second.text.lower(), "already|another|in use")
        self.assertEqual(self.daemon.waylay("status").status, 0, "the first one is unharmed")

    def test_no_daemon(self):
        shop = self.origin("shop")
        job = self.container()
        mounts = self.mount_points(job)
        self.attach(job)
        self.daemon.stop()
        for words in (("status",), ("flows",), ("attach", job.name), ("detach", job.name), ("detach", "--all"), ("off",)):
            with self.subTest(words):
                self.fails(*words, telling=["waylayd does not answer", "is it running", "--runtime-dir"])
        self.assert_direct(job, "shop.test", shop)
        self.assertEqual(self.mount_points(job), mounts, "there was nothing left to detach")

    def test_unknown_verbs_and_options(self):
        self.fails("atach", "x", telling=["attach"])
        self.fails("attach")
        self.fails("status", "--nonsense", telling=["--nonsense"])
        self.fails("show", "999999999")

    def test_a_bad_configuration_is_found_by_check_config(self):
        binary = world.current.build / "waylayd"
        good, bad, wrong = (self.folder / f"{name}.json" for name in ("good", "bad", "wrong"))
        good.write_text("// nothing is needed\n{}\n")
        bad.write_text("{\n  \"workers\": ,\n}\n")
        wrong.write_text('{"workers": "many"}\n')
        self.assertEqual(process.run([binary, "--check-config", "--config", good]).status, 0)
        self.assert_refused(process.run([binary, "--check-config", "--config", bad], check=False), str(bad), "2")
        self.assert_refused(process.run([binary, "--check-config", "--config", wrong], check=False), str(wrong), "/workers")
        self.assert_refused(process.run([binary, "--check-config", "--config", self.folder / "absent.json"], check=False), "absent.json")

    def test_bad_rules_at_start_are_an_error_with_file_and_place(self):
        self.daemon.stop()
        (self.daemon.rules / "10-bad.json").write_text('{"rules": [{"name": "a", "match": "http.hots == 1", "status": 500}]}')
        outcome = process.run(self.daemon.command, check=False, timeout=20)
        self.assert_refused(outcome, "10-bad.json", "http.host")

    def test_a_caller_who_may_not_is_refused(self):
        """An unprivileged process cannot reach the sockets at all."""
        outcome = process.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                               *(str(word) for word in (world.current.build / "waylay", "--runtime-dir", self.daemon.runtime, "status"))],
                              check=False)
        self.assert_refused(outcome, "permission")

    def test_version_and_help(self):
        for program in ("waylay", "waylayd"):
            for option in ("--version", "--help"):
                outcome = process.run([world.current.build / program, option])
                self.assertTrue(outcome.out.strip(), outcome)
