#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The recipes of catena-cookbook(7), as they are printed.
load ../helpers

setup_file() {
    page=$BATS_TEST_DIRNAME/../../man/catena-cookbook.7
    recipes=$BATS_TEST_DIRNAME/../tools/recipes.py
    export page recipes
    mkdir "$BATS_FILE_TMPDIR/bin"
    ln -s "$CATENA_BIN" "$BATS_FILE_TMPDIR/bin/catena"
    ln -s "$CATENA_BIN" "$BATS_FILE_TMPDIR/bin/socat"
    ln -s "$(dirname "$(realpath "$CATENA_BIN")")/xiorun" "$BATS_FILE_TMPDIR/bin/xiorun"
    export PATH="$BATS_FILE_TMPDIR/bin:$PATH"
    python3 "$recipes" "$page" --materials "$BATS_FILE_TMPDIR"
}

@test "every recipe gives what the page says" {
    [ "$(python3 "$recipes" "$page" --list | wc -l)" -ge 45 ]
    for part in 0 1 2 3; do
        python3 "$recipes" "$page" --run "$BATS_FILE_TMPDIR" "$part" 4 >"told.$part" 2>&1 &
        pids="${pids-} $!"
    done
    failed=
    for pid in $pids; do
        wait "$pid" || failed=yes
    done
    grep -v ': ok$' told.* || :
    [ -z "$failed" ]
    [ "$(cat told.* | grep -c ': ok$')" = "$(python3 "$recipes" "$page" --list | wc -l)" ]
}
