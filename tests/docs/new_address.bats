#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# tools/new-address makes what can be built, is in the table and in the manual, and has a test.
load ../helpers

@test "a new address of each kind compiles without a warning, is listed, described and tested" {
    top=$(realpath "$BATS_TEST_DIRNAME/../..")
    cp -r "$top/src" "$top/include" "$top/man" .
    mkdir -p tests/chains
    for kind in codec negotiator endpoint; do
        NEW_ADDRESS_TREE=$T "$top/tools/new-address" "fresh$kind" "$kind"
        file=$(ls src/*/"fresh$kind/fresh$kind.c")
        cc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -Iinclude -Isrc -fsyntax-only "$file"
        grep -q "^FORMS(fresh$kind)$" src/endpoint/endpoints.def src/inter/inters.def
        bash -n "tests/chains/fresh$kind.bats" 2>/dev/null || bats --count "tests/chains/fresh$kind.bats" | grep -qx 1
    done
    mandoc -T lint -W warning man/catena-addresses.7
    awk '/^\.\\" of:/ { s = $3 } /It Cm FRESH/ { print s, $0 }' man/catena-addresses.7 >entries
    same "$(cat entries)" 'endpoints .It Cm FRESHENDPOINT : Ns Ar file
inters .It Cm FRESHNEGOTIATOR
inters .It Cm FRESHCODEC'
    NEW_ADDRESS_TREE=$T run "$top/tools/new-address" gzip codec
    [ "$status" -eq 1 ]
    has "$output" 'there is such an address'
    run "$top/tools/new-address" Bad-Name codec
    [ "$status" -eq 2 ]
}
