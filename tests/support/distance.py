"""A link with a round-trip time between two network namespaces: distance.py NAMESPACE NAMESPACE DEVICE MILLISECONDS

Two tun devices of that name, one in each namespace (paths), and this process between them, which lets each packet wait
for half the time. It is for kernels without netem; a few thousand packets a second are what it carries. It prints
"ready" once the devices exist; they vanish with the process.
"""

import collections
import ctypes
import fcntl
import os
import select
import struct
import sys
import time

CLONE_NEWNET = 0x40000000  # linux/sched.h
TUNSETIFF = 0x400454CA  # linux/if_tun.h, with the flags below
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
LONGEST_PACKET = 65536


def tun(namespace, name):
    """A tun device in a namespace; this process stays in it."""
    space = os.open(namespace, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(space, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"setns {namespace}")
    os.close(space)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def relay(ends, seconds):
    """ends: the two devices. A packet read from one is written to the other `seconds` later."""
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    waiting = collections.deque()  # (due, device, packet), in the order of arrival: all wait equally long
    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for device in select.select(ends, [], [], pause)[0]:
            try:
                waiting.append((time.monotonic() + seconds, other[device], os.read(device, LONGEST_PACKET)))
            except BlockingIOError:
                pass
        while waiting and waiting[0][0] <= time.monotonic():
            _, device, packet = waiting.popleft()
            try:
                os.write(device, packet)
            except OSError:
                pass  # a device that is not up yet, or a full queue: lost, as on any link


def main():
    first, second, name, milliseconds = sys.argv[1:]
    ends = [tun(first, name), tun(second, name)]
    print("ready", flush=True)
    relay(ends, float(milliseconds) / 2000)


if __name__ == "__main__":
    main()
