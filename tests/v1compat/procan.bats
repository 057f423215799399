#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# procan, alone and beside the reference's where that is installed.
load ../helpers

prepare() {
    PROCAN=$(dirname "$CATENA_BIN")/procan
    REF_PROCAN=${REF_PROCAN:-$(dirname "$REF_SOCAT")/procan}
}

procan() { timeout -k 5 "$LIMIT" "$PROCAN" "$@"; }
ref() { timeout -k 5 "$LIMIT" "$REF_PROCAN" "$@"; }
need_ref() { [ -x "$REF_PROCAN" ] || skip "no reference: set REF_PROCAN"; }

# on_terminal <program>: on a new pseudo terminal, as leader of a new session.
on_terminal() { catena -u "exec:$1,pty,ctty,setsid,stderr" - | tr -d '\r'; }

@test "C constants: those of the reference, with its values" {
    need_ref
    same "" "$(ref -c | grep -vxFf <(procan -c) || :)"
}

@test "C constants have single blanks" {
    same "" "$(procan -c | grep -vxE '#define [A-Z0-9_]+ (0x[0-9a-f]+|[0-9]+)' || :)"
    same "2 10" "$(procan -c | grep -E ' (SOCK_DGRAM|PF_INET6) ' | cut -d' ' -f3 | sort -n | paste -sd' ')"
    for name in SOL_SOCKET SO_REUSEADDR TCP_MAXSEG TIOCEXCL FOPEN_MAX; do
        has "$(procan -c)" "^#define $name [0-9]"
    done
    same "" "$(procan -c | cut -d' ' -f2 | sort | uniq -d)"
}

@test "ids, limits and sizes are the reference's" {
    need_ref
    shown() { grep -vE 'process (parent |group )?id|controlling|diag_dgram|timespec|\((blocks|kbytes)\)|^ *[0-9]+:'; }
    same "" "$(ref | shown | grep -vxFf <(procan) || :)"
}

@test "process and session" {
    "$PROCAN" >out 3>&- &
    wait $!
    has "$(<out)" "^process id = $!\$"
    has "$(procan)" '^process parent id = [0-9]*$'
    has "$(procan)" '^sizeof(size_t)  *= [48]$'
    same "$(id -u)" "$(procan | sed -n 's/^user id *= //p')"
    same "$(id -g)" "$(procan | sed -n 's/^group id *= //p')"
    has "$(ulimit -n 77 && procan)" '^open files  *77  *[0-9]*$'
}

@test "without controlling terminal" {
    setsid -w "$PROCAN" </dev/null >out 2>err
    has "$(<out)" '^controlling terminal by [^ ]*: (none)$'
    has_not "$(<out)" '^controlling terminal .*"'
    has "$(<out)" '^process does not have a controlling terminal$'
}

@test "controlling terminal" {
    on_terminal "$PROCAN" >out
    name=$(sed -n 's/^controlling terminal by [^ ]*: //p' out | grep -v -e '"/dev/tty"' -e none | head -n 1)
    has "$name" '^"/dev/pts/[0-9]*"$'
    has "$(<out)" '^controlling terminal by [^ ]*: "/dev/tty"$'
    has "$(<out)" '^process has a controlling terminal$'
    leader=$(sed -n 's/^process id = //p' out)
    has "$(<out)" "^process session id = $leader\$"
    has "$(<out)" "^process group id if fg process / stdout = $leader\$"
}

@test "controlling terminal, though no descriptor leads to it" {
    on_terminal "$PROCAN" >/dev/null
    catena -u "system:exec <&- 2>&-; $PROCAN | cat,pty,ctty,setsid" - | tr -d '\r' >out
    has "$(grep '^controlling' out | head -n 1)" '"/dev/pts/[0-9]*"$'
    has "$(<out)" '^controlling terminal by ttyname(stdin): (none)$'
}

@test "signals" {
    has "$(trap '' USR1 && procan)" '^10 SIGUSR1 = ignored'
    has "$(procan)" '^12 SIGUSR2 = default'
}

@test "help and wrong options" {
    has "$(procan -h)" '^ *-?|-h '
    same "$(procan -h)" "$(procan '-?')"
    has "$(procan -V)" '^procan of catena [0-9]'
    for wrong in -x surplus; do
        status=0
        procan $wrong >out 2>err || status=$?
        same 1 $status
        has "$(<err)" ' procan\[[0-9]*\] E '
    done
    status=0
    procan -c >/dev/full 2>err || status=$?
    same 1 $status
}
