#!/usr/bin/env python3
"""Counts the instructions that the flow executes for one exchange, connection or mebibyte, with callgrind.

    instructions.py PROGRAM [--record] [--profile [WORKLOAD]]

Unlike times, the counts hardly depend on the machine's load, so a change of a few per cent is seen. OpenSSL and libc
choose their code by the CPU, and signatures use random numbers: hence the noise allowed below. A figure beyond it is a
warning, no failure. --record writes the committed figures anew (instructions.json); --profile adds where they go, by
layer and by function.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

COMMITTED = pathlib.Path(__file__).with_suffix(".json")
NOISE = 0.03


class Dump:
    """One workload's cost: the total for one, and how much of it each function has by itself."""

    def __init__(self, name, count, lines):
        self.name = name
        self.functions = collections.Counter()
        place, called = ("", ""), False
        for line in lines:
            key, _, value = line.partition("=")
            if key == "ob":
                place = (value, place[1])
            elif key == "fn":
                place = (place[0], value)
            elif key == "calls":
                called = True  # the next line is what the callee had in all
            elif line[:1].isdigit() or line[:1] in "+-*":
                cost = line.split()[1:]  # left out where it is zero
                if cost and not called:
                    self.functions[place] += int(cost[0]) / count
                called = False
        self.total = round(sum(self.functions.values()))

    def layers(self):
        layers = collections.Counter()
        for (binary, function), cost in self.functions.items():
            layers[layer_of(binary, function)] += cost
        return layers


def layer_of(binary, function):
    library = re.search(r"/(lib\w+)[^/]*\.so", binary)
    if library:
        return library[1]
    ours = re.search(r"waylay::(\w+)::", function)
    if ours:
        return ours[1]
    return "llhttp" if function.startswith("llhttp") else "base" if "waylay::" in function else "inline std"


def count(program):
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(
            ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={place}/out", "--compress-strings=no",
             "--compress-pos=no", "--toggle-collect=waylay::flow::Flow::on_*",
             "--toggle-collect=waylay::bench::Relayed::take_from_*",
             "--toggle-collect=waylay::tls::LeafMinter::prepare*", "--toggle-collect=waylay::tls::LeafMinter::finish*",
             program], check=True)
        dumps = filter(None, (read(path) for path in pathlib.Path(place).iterdir()))
        return {dump.name: dump for dump in dumps}


def read(path):
    lines = path.read_text(errors="replace").splitlines()
    for line in lines:
        label = re.match(r"desc: Trigger: Client Request: (\S+) (\d+)$", line)
        if label:
            return Dump(label[1], int(label[2]), lines)
    return None


def compare(dumps, committed):
    print(f"{'instructions in the flow, for one':34} {'now':>12} {'committed':>12}  ratio")
    for name, dump in sorted(dumps.items()):
        before = committed.get(name, 0)
        ratio = dump.total / before if before else 1
        mark = "  WARNING: more than before" if ratio > 1 + NOISE else "  better: record it" if ratio < 1 - NOISE else ""
        print(f"{name:34} {dump.total:12,} {before:12,}  {ratio:.2f}{mark}")
    for name in sorted(set(committed) - set(dumps)):
        print(f"{name:34} {'not counted':>12}  WARNING")


def profile(dump):
    print(f"\n{dump.name}: {dump.total:,}")
    for layer, cost in dump.layers().most_common():
        print(f"  {cost:12,.0f} {cost / dump.total:6.1%}  {layer}")
    print()
    for (binary, function), cost in dump.functions.most_common(40):
        print(f"  {cost:12,.0f} {cost / dump.total:6.1%}  {layer_of(binary, function):10} {function[:110]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--profile", nargs="?", const="", metavar="WORKLOAD")
    options = parser.parse_args()
    dumps = count(options.program)
    compare(dumps, json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {})
    if options.profile is not None:
        for name in sorted(dumps):
            if name.startswith(options.profile):
                profile(dumps[name])
    if options.record:
        totals = {name: dump.total for name, dump in dumps.items()}
        COMMITTED.write_text(json.dumps(totals, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
