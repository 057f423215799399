#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The lines of catena-coming-from(7) that are ours can be planned, and each has theirs; what it says of socat is so.
load ../helpers

page=$BATS_TEST_DIRNAME/../../man/catena-coming-from.7

@test "each line that is said to do the same makes a plan" {
    same "$(grep -c '^theirs  ' "$page")" "$(grep -c '^ours    \(catena\|xiorun\) ' "$page")"
    # of xiorun the chain, with what the program would tell in it
    sed -n "s/^ours    catena //p; s/^ours    xiorun -c \('.*'\) -- .*/- \1/; t xiorun; d; :xiorun s/{host}:{port}/x:1/p" "$page" |
        sed 's/\\e/\\/g; s/\\&//g' >lines
    same "$(grep -c '^ours' "$page")" "$(wc -l <lines)"
    cat >try <<EOF
catena() { "$CATENA_BIN" -n=json "\$@"; }
EOF
    while IFS= read -r line; do
        printf '. ./try\ncatena %s\n' "$line" >one
        bash ./one >told 2>err || :
        # a file or a service that is not there by now is no mistake of the line
        [ -s told ] && has_not "$(cat err)" ' E ' || { echo "$line"; cat err; false; }
    done <lines
}

# differs <what it says of the reference | of ours as socat | as catena> <command>: "?" is anything, "~" a line's end.
differs() {
    local said=$1 command=$2 program
    for program in "$REF_SOCAT" "$(socat_link)" "$CATENA_BIN"; do
        got=$(P=$program timeout 10 unshare -n bash -c "ip link set lo up; cd \$(mktemp -d -p .); $command" 2>/dev/null </dev/null | tr '\n' '~')
        [ "${said%% | *}" = '?' ] || [ "${said%% | *}" = "$got" ] || {
            echo "$program: $command: $got instead of ${said%% | *}"
            return 1
        }
        said=${said#* | }
    done
}

@test "what differs from socat is as the table says" {
    [ "$(id -u)" = 0 ] || skip "for root: each row is in a network of its own"
    grep '^\.\\" differs: ' "$page" | sed 's/^\.\\" differs: //' >rows
    [ "$(wc -l <rows)" -ge 12 ]
    while IFS= read -r row; do differs "${row%% : *}" "${row#* : }"; done <rows
}
