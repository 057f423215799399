#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual is clean, its pages lead to each other, and what it says of addresses, options, groups, facts and types is
# what the tables say.
set -eu
source=$1
tables=$2/manual_tables
status=0
if command -v mandoc >/dev/null 2>&1; then
    for manual in "$source"/man/*.[0-9]; do
        mandoc -T lint -W warning "$manual" || status=1
    done
fi
# Sanitized builds have no such program.
for page in catena-options.7 catena-addresses.7; do
    [ -x "$tables" ] || continue
    "$tables" | awk -f "$source/tools/manual_tables.awk" - "$source/man/$page" | cmp - "$source/man/$page" || {
        echo "man/$page is behind the tables: \`make manual\` (or it has nothing about something, as said above)"
        status=1
    }
done
page=$source/man/catena-addresses.7
for fact in $(sed -nE 's/^    \{"([a-z0-9_]+)", FACT_.*/\1/p; s/^    X509\("([a-z]+)".*/openssl_x509_\1/p' "$source/src/engine/plan/fact.c"); do
    grep -q "^\.It.* $fact\( \|$\)" "$page" || {
        echo "$page: nothing about {$fact}"
        status=1
    }
done
for manual in "$source"/man/*.[0-9]; do
    name=$(basename "$manual")
    grep -rq "^\.Xr ${name%.*} ${name##*.}" "$source"/man --include='*.[0-9]' --exclude="$name" || {
        echo "man/$name: no page refers to it"
        status=1
    }
    for other in $(sed -nE 's/^\.Xr ((catena|xio)[a-z-]*) ([0-9]).*/\1.\3/p' "$manual" | sort -u); do
        [ -e "$source/man/$other" ] || {
            echo "man/$name refers to $other, which is not there"
            status=1
        }
    done
done
exit $status
