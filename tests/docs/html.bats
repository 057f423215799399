#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual as web pages: each page is there, and the index leads to places that are.
load ../helpers

@test "every page is made, and what the search knows leads somewhere" {
    top=$BATS_TEST_DIRNAME/../..
    gzip -c "$top/man/filan.1" >filan.1.gz
    pages=$(ls "$top"/man/*.[0-9] | grep -v /filan)
    "$top/tools/manual_html" html $pages filan.1.gz
    for page in $pages filan.1; do [ -s "html/${page##*/}.html" ]; done
    grep -q '^\["cafile",".*","catena-options.7"\],$' html/index.html
    grep -q '^\["TCP-LISTEN",".*","catena-addresses.7"\],$' html/index.html
    grep -q '^\["--explain"\|^\["-n"' html/index.html
    sed -n 's/^\["[^"]*","\([^"]*\)","\([^"]*\)"\],$/\2 \1/p' html/index.html | sort -u >places
    [ "$(wc -l <places)" -gt 200 ]
    while read -r page place; do
        [ -z "$place" ] || grep -qF "id=\"$place\"" "html/$page.html" || { echo "$page: no $place"; false; }
    done <places
}
