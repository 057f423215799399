#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual is clean, and has every address and every fact that the sources know.
set -eu
source=$1
page=$source/man/catena.1
status=0
if command -v mandoc >/dev/null 2>&1; then
    for manual in "$source"/man/*.[0-9] "$2"/catena-options.7; do
        [ -e "$manual" ] || continue # not made in sanitized builds
        mandoc -T lint -W warning "$manual" || status=1
    done
fi
for keyword in $(grep -rhoE 'keyword = "[A-Z0-9-]+"' "$source/src" | cut -d'"' -f2 | sort -u); do
    grep -qw -e "$keyword" "$page" || {
        echo "$page: nothing about $keyword"
        status=1
    }
done
for fact in $(sed -nE 's/^    \{"([a-z0-9_]+)", FACT_.*/\1/p; s/^    X509\("([a-z]+)".*/openssl_x509_\1/p' "$source/src/engine/plan/fact.c"); do
    grep -q "^\.It.* $fact\( \|$\)" "$page" || {
        echo "$page: nothing about {$fact}"
        status=1
    }
done
exit $status
