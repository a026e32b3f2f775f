"""Examples of a page of docs/: rules, and what a reader who tries them sees.

A block ```json holds the rules, the next block is ```console, as a terminal shows it: "$ COMMAND", then lines of its output.
Lines of the page appear in the output in their order, others may stand between them. Within a line, "..." is anything, and
">=2" a number that is at least 2. A command fails only where its lines say so: "curl: (56) ..." is exit status 56, and
"waylay: ..." is 1.
"""

import re


class Command:
    def __init__(self, text):
        self.text, self.lines = text, []

    @property
    def status(self):
        if any(line.startswith("waylay: ") for line in self.lines):
            return 1
        failures = re.findall(r"^curl: \((\d+)\)", "\n".join(self.lines), re.MULTILINE)
        return int(failures[-1]) if failures else 0

    def missing(self, output):
        """The first line of the page that the output does not have; None: it has them all."""
        said = iter(output.splitlines())
        for line in self.lines:
            if not any(is_like(line, one) for one in said):
                return line
        return None


class Example:
    def __init__(self, number, rules, commands):
        self.line, self.rules, self.commands = number, rules, commands


def examples(page):
    """The examples of a page's text, each with the number of its first line."""
    blocks = [(page.count("\n", 0, found.start()) + 1, found[1], found[2])
              for found in re.finditer(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]
    found = []
    for at, (line, kind, text) in enumerate(blocks):
        if kind != "json":
            continue
        if at + 1 == len(blocks) or blocks[at + 1][1] != "console":
            raise AssertionError(f"line {line}: no ```console block says what comes of these rules")
        found.append(Example(line, text, commands(blocks[at + 1][2])))
    return found


def commands(console):
    found = []
    for line in console.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif found[-1].text.endswith("\\"):
            found[-1].text = found[-1].text[:-1] + line.strip()
        elif line.strip() not in ("", "..."):
            found[-1].lines.append(line)
    return found


def is_like(pattern, line):
    parts = [re.escape(part).replace(re.escape(">="), ">=") for part in pattern.split("...")]
    numbers = [float(number) for number in re.findall(r">=(\d+)", pattern)]
    found = re.fullmatch(".*".join(re.sub(r">=\d+", r"(\\d+(?:\\.\\d+)?)", part) for part in parts), line.rstrip("\r"))
    return bool(found) and all(float(text) >= number for text, number in zip(found.groups(), numbers))
