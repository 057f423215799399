#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark's tables can be read, and name only load generators and configurations that exist.
set -eu
cd "$1"/bench
command -v python3 >/dev/null 2>&1 || exit 77
status=0
python3 run --list >/dev/null || status=1
for conf in $(python3 -B -c 'import re, workloads
for w in workloads.WORKLOADS:
    for c in w.contenders:
        print(*re.findall("@conf:([^@]+)@", c.command or ""))'); do
    [ -f "peers/$conf" ] || { echo "no bench/peers/$conf"; status=1; }
done
for tool in $(python3 -B -c 'import re, workloads
for w in workloads.WORKLOADS:
    print((w.load or "spawn").split()[0])
    for c in w.contenders:
        print(*re.findall("@tools@/([a-z_]+)", c.command or ""))'); do
    [ -f "$tool.c" ] || { echo "no bench/$tool.c"; status=1; }
done
exit $status
