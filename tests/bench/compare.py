#!/usr/bin/env python3
"""Says where Waylay has become dearer than in the last kept run of the same workloads, beyond the noise.

    compare.py RESULTS.jsonl

Runs are compared by Waylay's ratio to nginx-reencrypt within each, since machines and their moods differ. A ratio has
to be worse by more than both runs' repetitions spread, and by 15 % at least, to be listed; that is a warning, no failure.
"""
import collections
import json
import pathlib
import statistics
import sys

BASE, OURS = "nginx-reencrypt", "waylay"
LEAST_NOISE = 0.15


def read(path):
    """{(peer, workload): [CPU per unit of each repetition]}; of idle, memory per connection."""
    values = collections.defaultdict(list)
    for line in path.read_text().splitlines():
        result = json.loads(line)
        key = (result["peer"], result["workload"])
        if result["metric"] == "rss_per_conn":
            values[key].append(result["value"])
        elif result["metric"] in ("rate", "throughput"):
            figure = "cpu_s_per_GB" if result["metric"] == "throughput" else "cpu_s_per_1k"
            if result.get(figure):
                values[key].append(result[figure])
    return values


def ratios(values):
    """{workload: (ratio of the medians, its relative spread)}"""
    found = {}
    for peer, workload in values:
        ours, base = values[(OURS, workload)] if peer == OURS else None, values.get((BASE, workload))
        if ours and base:
            found[workload] = (statistics.median(ours) / statistics.median(base), spread(ours) + spread(base))
    return found


def spread(values):
    return (max(values) - min(values)) / 2 / statistics.median(values)


def main():
    path = pathlib.Path(sys.argv[1])
    now = ratios(read(path))
    for former in sorted(path.parent.glob("2*.jsonl"), reverse=True):
        before = ratios(read(former)) if former.name < path.name else {}
        common = sorted(set(now) & set(before))
        if not common:
            continue
        print(f"against {former.name} (ratios to {BASE}):")
        for workload in common:
            noise = max(LEAST_NOISE, now[workload][1], before[workload][1])
            change = now[workload][0] / before[workload][0]
            mark = "  WARNING: dearer" if change > 1 + noise else "  cheaper" if change < 1 - noise else ""
            print(f"  {workload:24} {before[workload][0]:6.2f} -> {now[workload][0]:6.2f}   noise {noise:4.0%}{mark}")
        return
    print("no kept run of these workloads to compare with")


if __name__ == "__main__":
    main()
