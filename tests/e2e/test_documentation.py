"""The examples of docs/ do what the page says, command by command, with real clients through the real daemon."""

import pathlib
import shlex

import world
from support import s3, transcript

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


class Documentation(world.Case):
    def setUp(self):
        super().setUp()
        self.origin("shop", "shop.test")
        self.origin("staging", "staging.test")
        self.origin("aws", s3.HOST, "dynamodb.eu-west-1.amazonaws.com")
        curlrc = self.folder / ".curlrc"
        curlrc.write_text("silent\nshow-error\nmax-time = 20\n")
        self.job = self.container("nightly", volumes=[(curlrc, "/root/.curlrc:ro")])
        self.attach(self.job)

    def run_command(self, text):
        words = shlex.split(text)
        if words[0] == "waylay":
            return self.daemon.waylay(*words[1:], check=False)
        return self.job.run("sh", "-c", text, check=False)

    def hold(self, example):
        rules = self.folder / f"line-{example.line}.json"
        rules.write_text(example.rules)
        self.daemon.waylay("rules", "load", rules)
        try:
            for command in example.commands:
                self.hold_command(command)
        finally:
            self.daemon.waylay("rules", "remove", "--all")

    def hold_command(self, command):
        outcome = self.run_command(command.text)
        self.assertEqual(outcome.status, command.status, outcome)
        self.assertIsNone(command.missing(outcome.text), f"what the page says is not in the output\n{outcome}")

    def test_the_examples_of_the_page_on_rules_do_what_it_says(self):
        for example in transcript.examples((DOCS / "rules.md").read_text()):
            with self.subTest(f"docs/rules.md line {example.line}"):
                self.hold(example)
