#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The lines of catena-coming-from(7) that are ours can be planned, and each has theirs.
load ../helpers

@test "each line that is said to do the same makes a plan" {
    page=$BATS_TEST_DIRNAME/../../man/catena-coming-from.7
    same "$(grep -c '^theirs  ' "$page")" "$(grep -c '^ours    catena ' "$page")"
    sed -n 's/^ours    catena //p' "$page" | sed 's/\\e/\\/g; s/\\&//g' >lines
    [ "$(wc -l <lines)" -gt 25 ]
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
