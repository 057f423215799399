#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Which room may include headers of which: ARCHITECTURE.md, "Five steps". Contracts (catena/...) are for all.
set -eu
cd "$1/src"

# A room of the engine sees those that stand right of it, and itself. The tables know everybody.
floors='cli serve open relay confine port run plan base'
# Rooms outside of it see their own side, and nothing of the engine; beyond that, for libxio stands where cli does,
# and xiorun speaks with the preload library:
allowed='^(engine/cli/tables\.c endpoint/|engine/cli/tables\.c inter/|engine/cli/families\.c inter/inters\.def|xio/[a-z]*\.[ch] engine/(serve|plan)/|xiorun/[a-z_]*\.[ch] preload/protocol\.h)'

includes() { # file, included, without the contracts
    find . -name '*.[ch]' | sed 's|^\./||' | while read -r file; do
        sed -nE 's/^ *# *include +"([^"]+)".*/\1/p' "$file" | grep -v '^catena/' | sed "s|^|$file |" || :
    done
}

against() {
    includes | grep -vE "$allowed" | awk -v floors="$floors" '
        BEGIN { n = split(floors, f, " "); for (i = 1; i <= n; i++) floor[f[i]] = i }
        {
            split($1, a, "/"); split($2, b, "/")
            if ($2 !~ /\//) { print "by path, please: " $0; next }
            if (a[1] == "engine" && b[1] == "engine" && floor[b[2]] && floor[a[2]] <= floor[b[2]]) next
            if (a[1] == b[1] && a[1] != "engine") next
            print "against the order: " $0
        }'
}

bad=$(against)
for dir in engine endpoint inter; do
    bad=$bad$(find "$dir" -maxdepth 1 -name '*.[ch]' | sed 's/^/in no room: /')
done
[ -z "$bad" ] || {
    echo "$bad"
    exit 1
}
