#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whatever is installed is in a Debian package, and what the library exports is in its symbols.
set -eu
source=$1
build=$2
status=0
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
DESTDIR=$to cmake --install "$build" --prefix /usr >/dev/null
patterns=$(cat "$source"/packaging/debian/*.install "$source/packaging/debian/not-installed" | sed -n 's|^usr/lib/\*/|usr/lib/|; /^usr/p')
set -f
for file in $(cd "$to" && find usr -type f -o -type l); do
    for pattern in $patterns; do
        # shellcheck disable=SC2254
        case $file in $pattern | $pattern/*) continue 2 ;; esac
    done
    echo "packaging/debian: nothing takes $file"
    status=1
done
for symbol in $(sed -n '/^XIO/,/^}/s/.*global: *//p; /^ *xio[a-z]*;/p' "$source/src/xio/xio.map" | tr -d ' ' | tr ';' ' '); do
    grep -q "^ $symbol@" "$source/packaging/debian/libxio1.symbols" || {
        echo "packaging/debian/libxio1.symbols: nothing about $symbol"
        status=1
    }
done
exit $status
