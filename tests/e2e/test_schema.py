"""docs/rules.schema.json takes what the daemon's reader takes, and knows the members that it knows. Needs no daemon."""

import json
import pathlib
import re
import unittest

import jsonschema

from support import transcript

TOP = pathlib.Path(__file__).resolve().parents[2]
RULES = TOP / "daemon" / "rules"
SCHEMA = json.loads((TOP / "docs" / "rules.schema.json").read_text())

# Each with what is wrong in it; the others of its members are right.
MALFORMED = {
    "no name": {"match": "", "status": 503},
    "no match": {"name": "a", "status": 503},
    "a blank in the name": {"name": "a b", "match": "", "status": 503},
    "an unknown member": {"name": "a", "match": "", "statsu": 503},
    "an unknown member of a file": {"rules": [], "rule": []},
    "an unknown member inside": {"name": "a", "match": "", "respond": {"code": 503}},
    "a wrong rule in a list": [{"name": "a", "match": "", "status": 503}, {"name": "b"}],
    "a wrong rule in a file": {"rules": [{"name": "a", "match": "", "status": "503"}]},
    "an interim status": {"name": "a", "match": "", "status": 100},
    "a status without a body": {"name": "a", "match": "", "status": 204},
    "a duration without a unit": {"name": "a", "match": "", "delay": "200"},
    "two distributions": {"name": "a", "match": "", "delay": {"uniform": ["1s", "2s"],
                                                              "normal": {"mean": "1s", "deviation": "1s"}}},
    "two answers": {"name": "a", "match": "", "fault": "aws:throttle", "abort": "rst"},
    "two bodies": {"name": "a", "match": "", "respond": {"body": "", "file": "a"}},
    "an unknown abort": {"name": "a", "match": "", "abort": "reset"},
    "a time for what is no stall": {"name": "a", "match": "", "abort": {"how": "rst", "for": "1s"}},
    "half an edit": {"name": "a", "match": "", "body": {"regex": "a"}},
    "an operation without its value": {"name": "a", "match": "", "body": {"json_patch": [{"op": "add", "path": "/a"}]}},
    "no edit": {"name": "a", "match": "", "body": []},
    "a header's name with a blank": {"name": "a", "match": "", "headers": {"set": {"a b": "c"}}},
    "a header's value that is a number": {"name": "a", "match": "", "headers": {"set": {"a": 1}}},
    "an alert that is not fatal": {"name": "a", "match": "", "tls": {"alert": "close_notify"}},
    "an alert and a certificate": {"name": "a", "match": "", "tls": {"alert": "unknown_ca", "certificate": "expired"}},
    "the attempt before the first": {"name": "a", "match": "", "status": 503, "attempts": 0},
    "a probability above one": {"name": "a", "match": "", "status": 503, "probability": 1.5},
    "a ramp without its length": {"name": "a", "match": "", "status": 503, "ramp": {"to": 1}},
    "a rate without a unit": {"name": "a", "match": "", "rate_limit": {"rate": "100"}},
    "no rule at all": 7,
}


def without_comments(text):
    """JSON with comments as JSON; what looks like a comment within quotes stays."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', lambda found: found[1] or " ", text, flags=re.DOTALL)


def filled(json_value, parameters):
    """A scenario's rules with the values of its parameters, as the command line tool makes them."""
    if isinstance(json_value, dict):
        return {key: filled(value, parameters) for key, value in json_value.items()}
    if isinstance(json_value, list):
        return [filled(value, parameters) for value in json_value]
    if not isinstance(json_value, str):
        return json_value
    for name, value in parameters.items():
        if json_value == f"${{{name}}}":
            return value
        json_value = json_value.replace(f"${{{name}}}", str(value))
    return json_value


def between(text, begin, end):
    assert begin in text, f"the sources have no {begin!r} any more"
    return text.split(begin, 1)[1].split(end, 1)[0]


def words(text):
    return frozenset(re.findall(r'"([^"]+)"', text))


def first_words(file, begin):
    """The first word of each row of a table in the sources."""
    return frozenset(re.findall(r'\{"([^"]*)",', between((TOP / file).read_text(), begin, "\n};")))


def members_of_a_rule():
    own = words(between((RULES / "rule_reader.cc").read_text(), "names = {", "}"))
    limits = words(between((RULES / "limits_reader.cc").read_text(), "limit_names() {", "}"))
    return own | limits | first_words("daemon/rules/actions_reader.cc", "kMembers[] = {")


def members_of_objects():
    """What the reader's sources say of each object: the set of its members."""
    found = {members_of_a_rule()}
    for file in RULES.glob("*_reader.cc"):
        found |= {words(keys) for keys in re.findall(r"is_object\([^{}]*\{([^{}]*)\}\)", file.read_text())}
    kinds = between((TOP / "daemon/body/edit.cc").read_text(), "kAll = {", "};")
    found |= {words(keys) for keys in re.findall(r"\{([^{}]*)\}\}", kinds)}
    operations = between((TOP / "daemon/body/json_patch.cc").read_text(), "kOperations = ", ";")
    found |= {frozenset({"op", "path", needs} - {""}) for needs in re.findall(r', "(\w*)"\}', operations)}
    return found


def parts(schema):
    """All schemas within this one, itself included."""
    if isinstance(schema, dict):
        yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(inner)


def definition(name):
    return SCHEMA["$defs"][name]


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.validator = jsonschema.Draft202012Validator(SCHEMA)

    def assert_valid(self, rules, label):
        with self.subTest(label):
            self.validator.validate(rules)

    def test_the_schema_of_rules_is_one_and_says_what_everything_is(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        for name, one in SCHEMA["$defs"].items():
            self.assertTrue(one.get("title") and one.get("description"), name)
        for one in parts(SCHEMA):
            for name, member in one["properties"].items() if one.get("additionalProperties") is False else ():
                self.assertTrue("description" in member or "$ref" in member, name)

    def test_the_schema_of_rules_takes_every_example_of_the_pages(self):
        examples = transcript.examples((TOP / "docs" / "rules.md").read_text())
        self.assertGreater(len(examples), 20)
        for example in examples:
            self.assert_valid(json.loads(without_comments(example.rules)), f"docs/rules.md line {example.line}")
        faults = (TOP / "docs" / "faults.md").read_text()
        named = set(re.findall(r"^\| `(aws:[^`]+)`", faults, re.MULTILINE))
        codes = re.findall(r"^\| `([^`]+)`", between(faults, "<!-- begin codes", "<!-- end codes"), re.MULTILINE)
        self.assertGreater(min(len(named), len(codes)), 5)
        for fault in sorted(named | {f"aws:{code}" for code in codes}):
            self.assert_valid({"name": "a", "match": "", "fault": fault}, fault)
        self.assertEqual(set(definition("fault")["examples"]), named)

    def test_the_schema_of_rules_takes_every_scenario(self):
        files = sorted((TOP / "scenarios").glob("*.json"))
        self.assertTrue(files)
        for file in files:
            scenario = json.loads(without_comments(file.read_text()))
            values = {parameter["name"]: parameter["value"] for parameter in scenario["parameters"]}
            self.assert_valid(filled(scenario["rules"], values), file.name)

    def test_the_schema_of_rules_takes_all_forms_with_comments(self):
        rule = '{"name": "a", /* here */ "match": "// not here", "status": 503}'
        for text in (rule, f"[{rule}, // one\n{rule}]", f'{{"comment": "all", "rules": [{rule}]}}'):
            self.assert_valid(json.loads(without_comments(text)), text)

    def test_the_schema_of_rules_refuses_what_is_malformed(self):
        for label, rules in MALFORMED.items():
            with self.subTest(label):
                self.assertFalse(self.validator.is_valid(rules))

    def test_the_schema_of_rules_knows_the_members_that_the_reader_knows(self):
        self.assertEqual(frozenset(definition("rule")["properties"]), members_of_a_rule())
        closed = {frozenset(one["properties"]) for one in parts(SCHEMA) if one.get("additionalProperties") is False}
        self.assertEqual(closed, members_of_objects())

    def test_the_schema_of_rules_knows_the_words_that_the_reader_knows(self):
        alerts = set(re.findall(r'\{\d+, "(\w+)"\}', (TOP / "daemon/tls/alert.cc").read_text())) - {"close_notify"}
        self.assertEqual(set(definition("tlsFaults")["properties"]["alert"]["enum"]), alerts)
        for enum, file, begin in (
                (definition("abortHow"), "actions_reader.cc", "kAborts[] = {"),
                (definition("certificate"), "connection_reader.cc", "kCertificates[] = {"),
                (definition("rateLimit")["properties"]["per"], "limits_reader.cc", "RateLimit::Per> kNames[] = {")):
            self.assertEqual(frozenset(enum["enum"]), words(between((RULES / file).read_text(), begin, "};")), file)
