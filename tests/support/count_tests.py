"""Counts the GoogleTest cases of a ctest run: count_tests.py FOLDER FAILURES prints "N passed, M failed".

FOLDER holds ctest's JUnit file (one entry a program) and one XML file that each program wrote about its cases. A skipped
or disabled case counts as failed, and so does a program that ended before it could write its file: nothing may go unseen.
What failed is added to the file FAILURES, a line each.
"""

import pathlib
import sys
import xml.etree.ElementTree as tree


def count_program(file, failures):
    passed = failed = 0
    for case in tree.parse(file).iter("testcase"):
        ran = case.get("status") == "run" and case.get("result") == "completed"
        good = ran and case.find("failure") is None
        passed += good
        failed += not good
        if not good:
            print(f"{case.get('classname')}.{case.get('name')} in {file}{'' if ran else ' (not run)'}", file=failures)
    return passed, failed


def count(folder, failures):
    passed = failed = 0
    for program in tree.parse(folder / "ctest.junit").iter("testcase"):
        name, fine = program.get("name"), program.get("status") == "run"
        file = folder / f"{name}.xml"
        good, bad = count_program(file, failures) if file.exists() and file.stat().st_size else (0, 0)
        if not fine and bad == 0:
            print(f"the program {name}, as a whole", file=failures)
            bad = 1
        passed, failed = passed + good, failed + bad
    return passed, failed


def main():
    folder = pathlib.Path(sys.argv[1])
    with open(sys.argv[2], "a") as failures:
        passed, failed = count(folder, failures)
    print(f"{passed} passed, {failed} failed")


if __name__ == "__main__":
    main()
