#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs in a chain and at its end: descriptors, communication types, half close, exit status.
load ../helpers

prepare() {
    relay=$top/tests/tools/relay.sh
    # Marks each direction: lower to upper case to the right, figures to # to the left.
    cat >mark.sh <<'SH'
exec 5<&0
tr 0-9 '#' <&3 3<&- 4>&- 5<&- &
tr a-z A-Z <&5 >&4 3<&- 4>&- 5<&- &
exec 0<&- 1>&- 3<&- 4>&- 5<&-
wait
SH
}

marked_both_ways() { # <options before the chain...> : abc1 -> ABC1 -> ABC#
    same 'ABC#' "$(printf 'abc1\n' | catena "$@" - 'exec:"sh mark.sh"|pipe')"
    same 'ABC#' "$(printf 'abc1\n' | catena "$@" - 'system:". ./mark.sh"|pipe')"
    assert_nothing_left
}

@test "exec and system with four descriptors" { marked_both_ways; }
@test "aliases exec2 and system2" {
    same 'ABC#' "$(printf 'abc1\n' | catena - 'exec2:"sh mark.sh"|pipe')"
    same 'ABC#' "$(printf 'abc1\n' | catena - 'SYSTEM2:"exec sh mark.sh"|pipe')"
}
@test "four descriptors, reversed" {
    # To the right now figures are marked, and letters to the left.
    same 'ABC#' "$(printf 'abc1\n' | catena - '^exec:"sh mark.sh"|pipe')"
    same "XXabc" "$(printf "12abc\n" | catena -u - "^system:\"tr 0-9 X <&3\"|stdout")"
}
@test "in the left chain" {
    # From standard input to the pipe the stream runs right to left through the program.
    same 'ABC#' "$(printf 'abc1\n' | catena 'exec:"sh mark.sh"|stdio' pipe)"
}
@test "-cS: two socketpairs" { marked_both_ways -cS; }
@test "-cp: pipes" { marked_both_ways -cp; }
@test "-cP: pipes" { marked_both_ways -cP; }
@test "-cY: two ptys" { marked_both_ways -cY; }

@test "commtype on the program" {
    for type in socketpairs pipes ptys; do
        same 'ABC#' "$(printf 'abc1\n' | catena - "exec:'sh mark.sh',commtype=$type|pipe")"
    done
    same 'ABC#' "$(printf 'abc1\n' | catena - "exec:'sh mark.sh',pipes|pipe")"
    assert_nothing_left
}

@test "one descriptor for both ways: socketpair, tcp" {
    # Half close needs shutdown() here, which the program has to do.
    prog="$CATENA_BIN fd:1:0,shut-down fd:4:3,shut-down"
    for comm in s t; do
        same abc1 "$(printf 'abc1\n' | catena "-c$comm" - "exec:'$prog'|pipe")"
    done
    for type in socketpair tcp; do
        same abc1 "$(printf 'abc1\n' | catena "-c${type:0:1}" - "exec:'$prog',commtype=$type|pipe")"
    done
    assert_nothing_left
}

@test "one pty for both ways: an answer before the end" {
    start_peer asks 'send:abc\n' line shut eof
    start run "$CATENA_BIN" -t 1 -cy "tcp:127.0.0.1:$port" "exec:'sh mark.sh',commtype=pty|pipe" \
        </dev/null
    finish asks
    same ABC "$(sed -n 2p asks.out)"
    finish run
}

@test "unknown communication types are refused" {
    run catena -cZ - pipe
    same 1 "$status"
    has "$output" 'bad chain communication type "Z"'
    run catena - 'exec:cat,commtype=udp|pipe'
    same 1 "$status"
    has "$output" 'bad communication type "udp"'
}

@test "other descriptor numbers" {
    same abc "$(printf 'abc\n' | catena -u - 'system:"cat <&7 >&8",leftin=7,rightout=8|stdout')"
    same abc "$(printf 'abc\n' | catena -u - 'system:"cat <&7 >&8",leftinfd=7,rightoutfd=8|stdout')"
    same abc "$(printf 'abc\n' | catena -U stdout 'system:"cat <&6 >&9",leftout=9,rightin=6|stdin')"
}

@test "leftfd with a type of two descriptors is refused" {
    run catena - 'exec:cat,leftfd=5|pipe' </dev/null
    same 1 "$status"
    has "$output" ' E .*two different'
}

@test "only its descriptors reach a program" {
    out=$(catena -u 'exec:"sh -c \"ls /proc/self/fd\""' stdout | tr '\n' ' ')
    same '0 1 2 3 ' "$out" # 3: ls reading the directory
    out=$(catena - 'system:"ls /proc/\$\$/fd >&2; :"|pipe' 2>&1 >/dev/null </dev/null | sort -n | tr '\n' ' ')
    has "$out" '^0 1 2 3 4 \(10 \)\?$'
}

@test "exec1 and system1" {
    same ABC "$(printf 'abc\n' | catena -u - 'exec1:"tr a-z A-Z"|stdout')"
    same ABC "$(printf 'abc\n' | catena -u - 'system1:"tr a-z A-Z"|stdout')"
    same ABC "$(printf 'abc\n' | catena -u '^exec1:"tr a-z A-Z"|stdin' stdout)"
    same ABC "$(printf 'abc\n' | catena -U stdout '^exec1:"tr a-z A-Z"|stdin')"
    run catena -u 'exec1:"tr a-z A-Z"|stdin' stdout </dev/null
    same 1 "$status"
    run catena - 'exec1:cat|pipe' </dev/null
    same 1 "$status"
}

@test "exec1 and system1 in duals" {
    same ABC "$(printf 'abc\n' | catena - 'exec1:"tr a-z A-Z"%nop|pipe')"
    same ABC "$(printf 'abc\n' | catena - 'nop%system1:"tr a-z A-Z"|pipe')"
    same AXC "$(printf 'abc\n' | catena - 'exec1:"tr a-z A-Z"%exec1:"tr B X"|pipe')"
    same 'xABC' "$(printf 'abc\n' | catena - 'system1:"tr a-z A-Z"%testrev|pipe' | tr -d '\n<' | sed 's/^/x/')"
}

@test "a program that speaks only at end of file" {
    same '3' "$(printf '1\n2\n3\n' | catena - 'exec1:"wc -l"%nop|pipe' | tr -d ' ')"
    same '3' "$(printf '1\n2\n3\n' | catena - 'exec:"wc -l"' | tr -d ' ')"
    same '3' "$(printf '1\n2\n3\n' | catena - 'system:"wc -l",pipes' | tr -d ' ')"
    same '1 2 3 ' "$(printf '3\n2\n1\n' | catena - 'exec1:sort % exec1:cat | pipe' | tr '\n' ' ')"
}

@test "one direction ends, the other goes on" {
    start_peer client 'send:one\n' shut line line eof
    start run "$CATENA_BIN" "tcp:127.0.0.1:$port" \
        'system:"cat >&4; exec 4>&-; cat <&3"|system:"cat; echo more"' </dev/null
    finish run
    finish client
    same "one more" "$(tail -n +2 client.out | paste -sd' ')"
    assert_nothing_left
}

@test "programs at both ends" {
    same hello "$(catena -u 'exec:"echo hello"' 'system:"cat >&2"' 2>&1)"
    same HELLO "$(catena -U stdout '^exec1:"tr a-z A-Z"|exec:"echo hello"')"
}

@test "a program that cannot be started is an error" {
    run catena - 'exec:/nonexistent/program' </dev/null
    same 1 "$status"
    has "$output" 'nonexistent/program.*no such file or directory'
    run catena - 'exec:/nonexistent/program|pipe' </dev/null
    same 1 "$status"
    run catena - 'exec1:/nonexistent/program%nop|pipe' </dev/null
    same 1 "$status"
}

@test "a program that fails is promoted to status 1" {
    run catena -u 'system:"echo x; exit 7"' create:out
    same 1 "$status"
    has "$output" 'exited with status 7'
    same x "$(<out)"
    run catena - 'system:"exit 7"|pipe' </dev/null
    same 1 "$status"
    run catena -u - 'system1:"kill -SEGV \$\$"|stdout' </dev/null
    same 1 "$status"
    has "$output" 'exited on signal 11'
}

@test "a signal to us leaves no program behind" {
    mkfifo hold
    start run "$CATENA_BIN" - 'exec:"sleep 1000"|exec:"sleep 1000"' <>hold
    p=$pid
    two_sleep() { [ "$(pgrep -c -P "$p")" = 2 ]; }
    wait_for 5 two_sleep
    kill -TERM "$p"
    finish run 143
    assert_nothing_left
}

@test "fork: a program in the chain for each connection, no zombie" {
    start_listener server tcp-listen:0,bind=127.0.0.1,fork 'exec1:"tr a-z A-Z"%nop|pipe'
    server=$(<server.pid)
    for i in 1 2 3; do
        same "HELLO $i" "$(printf 'hello %d\n' "$i" | catena - "tcp:127.0.0.1:$port")"
    done
    no_child() { [ -z "$(pgrep -P "$server")" ]; }
    wait_for 5 no_child
    same 0 "$(zombies "$server")"
    kill "$server"
    finish server 143
}

@test "two programs in a dual see each other off, whatever joins them" {
    seq 100000 >lines
    for comm in S s p t Y; do
        catena "-c$comm" - 'exec1:cat%exec1:cat|pipe' <lines >out
        cmp lines out
        catena "-c$comm" 'exec1:cat%exec1:cat|pipe' - <lines >out
        cmp lines out
    done
}
