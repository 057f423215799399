#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The program exports what include/catena says it does, under one prefix, and nothing else.
set -eu
source=$1
build=$2
case ${CATENA_SANITIZE:-} in ?*) exit 77 ;; esac # sanitizers export a lot

said=$(grep -hv CATENA_API\(name\) "$source"/include/catena/*.h | tr '\n' ' ' | grep -oE '[a-z_0-9]+\([^;{}]*CATENA_(API\([a-z_0-9]+\)|EXPORT)' |
    sed -E 's/.*CATENA_API\(([a-z_0-9]+)\)$/catena_\1/; s/^(catena_[a-z_0-9]+)\(.*EXPORT$/\1/' | sort -u)
# Variables of the C library that a program uses live in the program.
exported=$(nm -D --defined-only "$build/catena" | awk '$3 !~ /@/ { print $3 }' | sort -u)
[ "$said" = "$exported" ] || {
    echo "said in include/catena to be exported and not, or the other way round:"
    printf '%s\n%s\n' "$said" "$exported" | sort | uniq -u
    exit 1
}
