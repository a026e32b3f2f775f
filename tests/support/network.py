"""Network namespaces without a default route, and the links between them.

A redirect that fails must find no way out of the machine, so nothing here ever adds a route beyond the link itself.
"""

import itertools
import os

from support import process

_links = itertools.count(1)


class Namespace:
    """A named network namespace with its loopback up. The name is in the run's prefix, so that leftovers are found."""

    def __init__(self, place, label):
        self.name = f"{place.name}-{place.number()}{label}"
        self.path = f"/run/netns/{self.name}"
        process.run(["ip", "netns", "add", self.name])
        process.run(["ip", "-n", self.name, "link", "set", "lo", "up"])

    def remove(self):
        process.run(["ip", "netns", "delete", self.name], check=False)


def namespace_of(pid):
    return f"/proc/{pid}/ns/net"


def join(a, a_addresses, b, b_addresses):
    """A veth pair between the namespaces at the paths a and b; each end gets its addresses ("198.51.100.1/24")."""
    number = next(_links)
    ends = (f"wt{os.getpid() % 100000}a{number}", f"wt{os.getpid() % 100000}b{number}")
    process.run(["ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1]])
    try:
        for end, space, addresses in ((ends[0], a, a_addresses), (ends[1], b, b_addresses)):
            _move(end, space)
            for address in addresses:
                # An IPv6 address is usable at once only without duplicate address detection.
                quick = ["nodad"] if ":" in address else []
                process.run(process.in_namespace(space) + ["ip", "address", "add", address, "dev", end] + quick)
            process.run(process.in_namespace(space) + ["ip", "link", "set", end, "up"])
    except BaseException:
        process.run(["ip", "link", "delete", ends[0]], check=False)
        raise
    return ends


def _move(link, space):
    """`ip link set netns` takes the id of a process or a name below /run/netns; a path is neither."""
    if space.startswith("/proc/"):
        process.run(["ip", "link", "set", link, "netns", space.split("/")[2]])
    else:
        process.run(["ip", "link", "set", link, "netns", os.path.basename(space)])


def default_routes(space):
    """For the check that a world is closed."""
    text = ""
    for family in ("-4", "-6"):
        text += process.run(process.in_namespace(space) + ["ip", family, "route", "show", "default"], check=False).out
    return text
