# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The recipes of a manual page as tests (recipes.py says how they are written): the file that loads this sets `page`,
# and `options` for recipes.py, if there are any.
recipes() { python3 "$top/tests/tools/recipes.py" ${options-} "$top/man/$page" "$@"; }

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/bin"
    ln -s "$CATENA_BIN" "$BATS_FILE_TMPDIR/bin/catena"
    ln -s "$CATENA_BIN" "$BATS_FILE_TMPDIR/bin/socat"
    ln -s "$(dirname "$(realpath "$CATENA_BIN")")/xiorun" "$BATS_FILE_TMPDIR/bin/xiorun"
    export PATH="$BATS_FILE_TMPDIR/bin:$top/tests/peers/servers:$PATH"
    recipes --materials "$BATS_FILE_TMPDIR"
}

# run_recipes <how many there are at least>: in four rows.
run_recipes() {
    local part pid failed='' pids=()
    [ "$(recipes --list | wc -l)" -ge "$1" ]
    for part in 0 1 2 3; do
        recipes --run "$BATS_FILE_TMPDIR" "$part" 4 >"told.$part" 2>&1 &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=yes; done
    grep -v ': ok$' told.* || :
    [ -z "$failed" ]
    [ "$(cat told.* | grep -c ': ok$')" = "$(recipes --list | wc -l)" ]
}
