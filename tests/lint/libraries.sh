#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The program is linked with the C library alone, and the tables of what it calls in others
# (src/inter/libraries/*.def) hold no function that nobody calls any more.
set -eu
build=$2

needed=$(readelf -d "$build/catena" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -vE '^(libc|ld-linux.*|libgcc_s|libm|lib[a-z]*san)\.' || :)
[ -z "$needed" ] || {
    echo "linked, and so loaded by everybody:" $needed
    exit 1
}
objects=$build/CMakeFiles/catena_code.dir/src
rows=$(nm --defined-only "$objects/inter/libraries/libraries.c.o" |
    sed -n 's/.* T //p' | grep -v '^libraries_')
called=$(find "$objects" -name '*.o' -exec nm -u {} + | sed -n 's/^ *U //p' | sort -u)
idle=$(echo "$rows" | grep -vxF "$called" || :)
[ -z "$idle" ] || {
    echo "nobody calls" $idle
    exit 1
}
