#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Codes of messages: each is explained in catena-diagnostics(7), with causes and remedy, in the words of its table,
# and provoked by a test; and the manual explains no other.
set -eu
table=$1/include/catena/codes.def
page=$1/man/catena-diagnostics.7
# code <tab> what it says, as a sentence
rows() {
    sed -nE 's/^(KIND|CODE)\(.*"([EW]-[A-Z0-9-]+)", "(.)(.*)"\)$/\2\t\3\t\4/p' "$table" |
        awk -F'\t' '{ print $1 "\t" toupper($2) $3 "." }'
}
entries() { # the same of the manual, and what is missing of an entry
    awk '/^\.It Cm [EW]-/ { if (code) print code "\t" says lacks; code = $3; getline says; lacks = " (no causes) (no remedy)" }
        /^Usual causes:$/ { sub(/ \(no causes\)/, "", lacks) }
        /^What to do:$/ { sub(/ \(no remedy\)/, "", lacks) }
        END { print code "\t" says lacks }' "$page"
}
said=$(rows | sort)
told=$(entries | sort)
status=0
[ -n "$said" ] && [ "$said" = "$told" ] || {
    echo "codes.def and $page differ:"
    printf '%s\n%s\n' "$said" "$told" | sort | uniq -u
    status=1
}
for code in $(rows | cut -f1); do
    name=$(sed -nE "s/^(KIND|CODE)\\(([A-Z_0-9]+),.*\"$code\".*/\\2/p" "$table")
    grep -rqw -e "$code" "$1/tests/chains" || grep -rqw -e "ERR_$name" -e "$code" "$1/tests/unit" || {
        echo "no test provokes $code"
        status=1
    }
    grep -rqw "ERR_$name" "$1/src" || {
        echo "nothing in src is called $code"
        status=1
    }
done
exit $status
