"""`script/bench [NAME]`: measure and print. In: names of measurements. Out: a table for each; 1 for an unknown one."""

import os
import platform
import sys

from tests.bench import apply, logs, policy, reports, rules

MEASUREMENTS = {
    "policy": policy.measure,
    "rules": rules.measure,
    "apply": apply.measure,
    "logs": logs.measure,
    "reports": reports.measure,
}


def main(names: list[str]) -> int:
    """Run what was named, or everything."""
    unknown = set(names) - MEASUREMENTS.keys()
    if unknown:
        print(
            f"script/bench: there is no {', '.join(sorted(unknown))}; there is {', '.join(MEASUREMENTS)}",
            file=sys.stderr,
        )
        return 1
    python, load = platform.python_version(), os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {python}, load {load:.1f}")
    for name in names or MEASUREMENTS:
        print(f"\n{name}")
        for row in MEASUREMENTS[name]():
            print(f"  {row}", flush=True)
    return 0


sys.exit(main(sys.argv[1:]))
