"""Runs the end-to-end cases: run.py --build build/dev [-k WORDS] [--list] [--counts FILE] [--failures FILE].

Each case is a method of a class in test_*.py; its name is a sentence. One private Docker engine serves the whole run, and
each case gets a world of its own (world.py). A skipped case counts as failed. The last line says "N passed, M failed".
"""

import argparse
import os
import pathlib
import sys
import time
import unittest

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here))
sys.path.insert(0, str(here.parent))

import world  # noqa: E402  (needs the path above)


class Reporter(unittest.TestResult):
    """One line a case, with its time; the reasons of failures at once, since a run may be cut short."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.failed = []
        self._reasons = []

    def startTest(self, test):
        super().startTest(test)
        self._started = time.monotonic()
        self._reasons = []

    def stopTest(self, test):
        seconds = time.monotonic() - self._started
        verdict = "FAILED" if self._reasons else "ok"
        print(f"    {verdict:6} {seconds:5.1f} s  {sentence(test)}", flush=True)
        for reason in self._reasons:
            print("".join(f"        {line}\n" for line in reason.splitlines()), flush=True)
        self.passed += not self._reasons
        if self._reasons:
            self.failed.append(sentence(test))
        super().stopTest(test)

    def addFailure(self, test, error):
        self._reasons.append(self._exc_info_to_string(error, test))

    def addError(self, test, error):
        self._reasons.append(self._exc_info_to_string(error, test))
        if not isinstance(test, unittest.TestCase):  # a class's or module's set-up: no case of its own was started
            self.failed.append(str(test))
            print(f"    FAILED {test}\n{self._reasons[-1]}", flush=True)

    def addSkip(self, test, reason):
        self._reasons.append(f"skipped: {reason}")

    def addExpectedFailure(self, test, error):
        self._reasons.append("expected failures have no place here")

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self._reasons.append(f"{subtest._subDescription()}: {self._exc_info_to_string(error, test)}")


def sentence(test):
    group = type(test).__name__
    return f"{group}: {test._testMethodName.removeprefix('test_').replace('_', ' ')}"


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def chosen(words):
    everything = list(cases(unittest.TestLoader().discover(str(here), top_level_dir=str(here))))
    return [case for case in everything if words.lower() in sentence(case).lower()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/dev", help="folder with waylayd and waylay")
    parser.add_argument("-k", dest="words", default="", help="only cases whose sentence contains this")
    parser.add_argument("--counts", help="file for the two numbers: passed and failed")
    parser.add_argument("--failures", help="file to which the names of the failed cases are added")
    parser.add_argument("--list", action="store_true", help="only print the cases")
    options = parser.parse_args()
    selected = chosen(options.words)
    if options.list:
        print("\n".join(sentence(case) for case in selected))
        return 0
    if os.geteuid() != 0:
        sys.exit("the end-to-end cases need root: ./dev test becomes root by itself")
    reporter = Reporter()
    try:
        with world.session(pathlib.Path(options.build).resolve()):
            unittest.TestSuite(selected).run(reporter)
    except KeyboardInterrupt:
        print("    interrupted")
        reporter.failed.append("interrupted")
    passed, failed = reporter.passed, len(reporter.failed)
    if options.failures:
        with open(options.failures, "a") as file:
            file.writelines(f"{name}\n" for name in reporter.failed)
    if options.counts:
        pathlib.Path(options.counts).write_text(f"{passed} {failed}\n")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
