#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs in chains, by tables: every keyword, communication type, direction and place.
load ../helpers

prepare() {
    # Lower case becomes upper case to the right, figures become # to the left.
    cat >both.sh <<'SH'
exec 5<&0
tr 0-9 '#' <&3 3<&- 4>&- 5<&- &
tr a-z A-Z <&5 >&4 3<&- 4>&- 5<&- &
exec 0<&- 1>&- 3<&- 4>&- 5<&-
wait
SH
    # The same, counted: each direction speaks at its end of file alone.
    cat >count.sh <<'SH'
exec 5<&0
{ cat; echo left; } <&3 3<&- 4>&- 5<&- &
{ wc -c | tr -d ' '; } <&5 >&4 3<&- 4>&- 5<&- &
exec 0<&- 1>&- 3<&- 4>&- 5<&-
wait
SH
    printf 'abc1\n' >in
}

# gives <expected> <arguments...>: lines of the output are joined by blanks.
gives() {
    local expected=$1 got
    shift
    got=$(timeout -k 5 "$LIMIT" "$CATENA_BIN" "$@" <in | tr '\n' ' ' | sed 's/ $//')
    same "$expected" "$got" || {
        echo "# $*"
        return 1
    }
}

@test "at the end of a chain, by communication type" {
    for keyword in exec system; do
        for type in socketpairs socketpair pipes ptys tcp; do
            gives abc1 - "$keyword:cat,commtype=$type"
            gives abc1 - "nop|$keyword:cat,commtype=$type"
            gives abc1 -u "$keyword:'cat in',commtype=$type" -
        done
        gives abc1 -t 0.3 - "$keyword:cat,commtype=pty"
    done
}

@test "both ways, by type, keyword and place" {
    for keyword in 'exec:"sh both.sh"' 'system:". ./both.sh"' 'exec2:"sh both.sh"' \
        'system2:"exec sh both.sh"'; do
        for comm in -cS -cp -cP -cY; do
            gives 'ABC#' $comm - "$keyword|pipe"
            gives 'ABC#' $comm - "$keyword|exec:cat"
        done
        gives 'ABC#' "$keyword|-" pipe
        gives 'ABC#' - "nop|$keyword|nop|pipe"
        gives 'ABC#' - "$keyword|$keyword|pipe"
        gives 'ABC#' "$keyword|-" "$keyword|pipe"
    done
}

@test "reversed: what went to the right goes to the left" {
    for keyword in 'exec:"sh both.sh"' 'system:". ./both.sh"'; do
        for comm in -cS -cp -cY; do
            gives 'ABC#' $comm - "^$keyword|pipe"
            gives 'ABC#' $comm - "^$keyword|nop|pipe"
        done
        gives 'ABC#' "^$keyword|-" pipe
        gives 'ABC#' - "$keyword|^$keyword|pipe"
        # seen alone: to the right the figures are marked
        gives 'abc#' -u - "^$keyword|stdout"
        gives 'ABC1' -U stdout "^$keyword|stdin"
    done
}

@test "one way: the descriptors of that way alone" {
    for comm in -cS -cp -cY; do
        for keyword in exec system; do
            gives ABC1 $comm -u - "$keyword:'sh both.sh'|stdout"
            gives 'abc#' $comm -U stdout "$keyword:'sh both.sh'|stdin"
            gives 'abc#' $comm -u "$keyword:'sh both.sh'|stdin" stdout
            gives 'ABC1' $comm -U - "^$keyword:'sh both.sh'|stdin"
        done
    done
}

@test "filters as the halves of a dual, with two sides or with one" {
    for comm in -cS -cs -cp -ct; do
        for there in "exec:'tr a x'" "exec1:'tr a x'" "system:'tr a x >&4'" "^exec:'tr a x'"; do
            for back in "exec:'tr b y'" "system1:'tr b y'" "system:'tr b y <&0'"; do
                gives xyc1 $comm - "$there%$back|pipe"
            done
        done
    done
}

@test "exec1 and system1: forward, backward, on both sides" {
    for comm in -cS -cs -cp -cY -ct; do
        for one in exec1 system1; do
            up="$one:'tr a-z A-Z'"
            figures="$one:'tr 0-9 #'"
            [ $one = exec1 ] || figures="system1:\"tr 0-9 '#'\""
            gives ABC1 $comm -u - "$up|stdout"
            gives ABC1 $comm -U stdout "^$up|stdin"
            gives ABC1 $comm -u "^$up|stdin" stdout
            gives ABC1 $comm -U "$up|stdout" stdin
            # with one descriptor for both ways, closing is no end for a half
            case $comm in -cs | -ct) continue ;; esac
            gives ABC1 $comm - "$up%nop|pipe"
            gives ABC1 $comm - "nop%$up|pipe"
            gives 'ABC#' $comm - "$up%$figures|pipe"
            gives ABC1 $comm "$up%nop|-" pipe
            gives ABC1 $comm "nop%$up|-" pipe
        done
    done
}

@test "exec1 and system1 where the stream runs the other way are refused" {
    while read -r arguments; do
        # shellcheck disable=SC2086
        run timeout 10 "$CATENA_BIN" $arguments <in
        echo "# $arguments: $output"
        same 1 "$status"
        has "$output" ' E '
    done <<'ROWS'
- exec1:cat|pipe
- system1:cat|pipe
- ^exec1:cat|pipe
-u exec1:cat|stdin stdout
-U stdout exec1:cat|stdin
-u - ^exec1:cat|stdout
- exec1:cat
-u - exec1:cat%nop|stdout
ROWS
}

@test "half close: a program that speaks at its end of file" {
    for comm in -cS -cp -cY; do
        for one in exec1 system1; do
            gives 5 $comm -u - "$one:'wc -c'|stdout"
            gives 5 $comm - "$one:'wc -c'%nop|pipe"
            gives 5 $comm - "nop%$one:'wc -c'|pipe"
            gives 2 $comm - "$one:'wc -c'%$one:'wc -c'|pipe"
            gives 5 $comm "$one:'wc -c'%nop|-" pipe
            gives 5 $comm - "$one:'wc -c'%nop|exec:cat"
            gives 5 $comm - "nop|$one:'wc -c'%nop|nop|pipe"
            gives 2 $comm - "$one:'wc -c'%nop|$one:'wc -c'%nop|pipe"
        done
        gives '5 left' $comm - "exec:'sh count.sh'|pipe"
        gives '5 left' $comm - "system:'. ./count.sh'|exec:cat"
        gives 10 $comm "exec:'sh count.sh'|-" pipe
    done
}

@test "half close by shutdown: one descriptor for both ways" {
    prog="$CATENA_BIN fd:1:0,shut-down fd:4:3,shut-down"
    for comm in s t; do
        for place in "exec:'$prog'|pipe" "^exec:'$prog'|pipe" "nop|exec:'$prog'|exec:sort"; do
            gives abc1 "-c$comm" - "$place"
        done
    done
}

@test "much data through programs, by type" {
    "$PEER" gen 3000000 7 >in
    for comm in -cS -cp; do
        for chain in 'exec1:cat%exec1:cat|pipe' 'system1:cat%nop|exec:cat' \
            "exec:$top/tests/tools/relay.sh|pipe"; do
            timeout 30 "$CATENA_BIN" $comm - "$chain" <in | cmp - in || {
                echo "$comm $chain"
                return 1
            }
        done
    done
}

@test "blanks, capitals and quotes around the links" {
    gives 'ABC#' - ' exec:"sh both.sh" | pipe'
    gives 'ABC#' - 'EXEC:"sh both.sh"|PIPE'
    gives ABC1 - 'Exec1:"tr a-z A-Z" % NOP | PIPE'
    gives 'a|b%c^d' -u "exec:'echo a|b%c^d'" -
}

@test "dual endpoints, descriptors" {
    echo from >file
    gives from - 'create:made%open:file'
    same abc1 "$(<made)"
    gives abc1 fd:1:0 pipe
    gives abc1 -u - fd:1
    gives abc1 -U fd:1 fd:0
    gives abc1 1%0 pipe
    gives abc1 1%0 exec:cat
    gives ABC1 1%0 'exec1:"tr a-z A-Z"%nop|pipe'
}

# over <joint> <links>: much, and more than once: what is told too early is lost only now and then.
over() {
    local n
    seq 1 20000 >in
    for n in 1 2 3; do
        timeout "$LIMIT" "$CATENA_BIN" "-c$1" - "$2|pipe" <in | cmp - in
    done
}
@test "programs with each type of joint lose nothing at their ends" {
    for c in s S p t; do
        for links in 'exec1:cat%exec1:cat' 'exec1:cat%nop' 'nop%exec1:cat' \
            'exec1:cat%exec1:cat|exec1:cat%exec1:cat'; do
            over $c "$links"
        done
    done
    # one program that ends its directions on its own can tell so by descriptors of their own alone
    for c in S p; do over $c "exec:$top/tests/tools/relay.sh"; done
}
