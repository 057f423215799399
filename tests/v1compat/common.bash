# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The same command line on the reference (REF_SOCAT, Debian's 1.7.4.4 by default) and on ours under
# its name. Each runs in a directory of its own that prepare_case fills.
load ../helpers

setup_file() {
    [ -x "$REF_SOCAT" ] || skip "no reference: set REF_SOCAT"
    socat_link >/dev/null
}

# One of them: one <ref|ours> <arguments...>; standard input is the file "in". Gives the exit status
# in status, and <which>.out, <which>.err; its directory is left as the program left it.
one() {
    local which=$1 program
    shift
    program=$REF_SOCAT
    [ "$which" = ref ] || program=$BATS_FILE_TMPDIR/ours/socat
    [ -d "$T/$which" ] || mkdir -p "$T/$which"
    status=0
    (
        cd "$T/$which" || exit 99
        if declare -F prepare_case >/dev/null; then prepare_case; fi
        exec timeout -k 5 "$LIMIT" "$program" -t 5 "$@"
    ) <"$T/in" >"$T/$which.out" 2>"$T/$which.err" 3>&- || status=$?
}

# both <arguments...>: the same exit status, standard output and files. Environment: STATUS, the
# status that both must have if it is not enough that it is the same. The reference loses races that
# ours has to win (it kills a program that still writes): it gets five tries to do what ours did in one.
both() {
    [ -e "$T/in" ] || : >"$T/in"
    local ref ours tries
    fresh "$T/ours"
    one ours "$@"
    ours=$status
    for tries in 1 2 3 4 5; do
        fresh "$T/ref"
        one ref "$@"
        ref=$status
        if alike; then
            status=$ours
            return 0
        fi
    done
    echo "# socat $*"
    echo "status: reference $ref, ours $ours"
    diff "$T/ref.out" "$T/ours.out"
    diff <(tree ref) <(tree ours)
    echo "--- reference:"
    head -5 "$T/ref.err"
    echo "--- ours:"
    head -5 "$T/ours.err"
    return 1
}

alike() {
    [ "$ref" = "$ours" ] && [ "${STATUS:-$ref}" = "$ref" ] || return
    { [ ! -s "$T/ref.out" ] && [ ! -s "$T/ours.out" ]; } || cmp -s "$T/ref.out" "$T/ours.out" || return
    { is_empty "$T/ref" && is_empty "$T/ours"; } || cmp -s <(tree ref) <(tree ours)
}

# is_empty <directory>: or it is not there.
is_empty() {
    local entry
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        if [ -e "$entry" ] || [ -L "$entry" ]; then return 1; fi
    done
}

# fresh <directory>: nothing is in it any more.
fresh() { is_empty "$1" || rm -rf "$1"; }

# The entries of a directory: kind, mode, owner, group, where links lead to; contents of files.
tree() (
    cd "$T/$1" || return
    find . -mindepth 1 -printf '%p %y %m %u %g %l\n' | sort
    find . -type f -exec cksum {} + | sort
)

# both_fail <arguments...>: both end with status 1 and at least one E line, and print nothing.
both_fail() {
    STATUS=1 both "$@"
    has "$(<"$T/ref.err")" ' E '
    has "$(<"$T/ours.err")" ' E '
}

# ours_alone <arguments...>: where the reference is known to be wrong, or a race; STATUS is ours.
ours_alone() {
    [ -e "$T/in" ] || : >"$T/in"
    one ours "$@"
    same "${STATUS:-0}" "$status" || {
        echo "# socat $*"
        cat "$T/ours.err"
        return 1
    }
}

# abreast <command...>: as each, but all rows at once, each in a directory of its own: for rows that
# spend their time waiting. Input is a copy of the file "in" of the test.
abreast() {
    local rows row n=0 failed=0 started=() texts=()
    mapfile -t rows
    for row in "${rows[@]}"; do
        [[ $row =~ ^[[:space:]]*(#|$) ]] && continue
        n=$((n + 1))
        mkdir "$T/row$n"
        [ ! -e "$T/in" ] || cp "$T/in" "$T/row$n"
        (
            T=$T/row$n
            cd "$T"
            eval "$* $row" </dev/null
        ) >"$T/row$n/report" 2>&1 3>&- &
        started+=($!)
        texts+=("$row")
    done
    for ((n = 0; n < ${#started[@]}; n++)); do
        wait "${started[n]}" && continue
        echo "# row: ${texts[n]}"
        cat "$T/row$((n + 1))/report"
        failed=1
    done
    rm -rf "$T"/row*
    return $failed
}
