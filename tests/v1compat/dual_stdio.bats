#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Standard descriptors, descriptors by number, dual addresses, pipes.
load common

prepare() {
    OURS=$(socat_link)
    printf 'one\ntwo\n' >in
}
prepare_case() {
    echo left >left
    echo right >right
}

@test "standard input and output under all their names" {
    each both <<'ROWS'
- PIPE
STDIO PIPE
stdio PIPE
PIPE -
PIPE STDIO
- EXEC:cat
EXEC:cat -
-u - CREATE:out
-u STDIN CREATE:out
-u STDIO CREATE:out
-U CREATE:out STDIN
-u OPEN:left STDOUT
-u OPEN:left STDIO
-u OPEN:left -
-U STDOUT OPEN:left
-u STDIN STDOUT
-u - -
-u STDIN STDERR
-u FD:0 FD:1
-u 0 1
-u FD:0 STDOUT
-u - FD:1
STDIO EXEC:'tr a-z A-Z'
ROWS
    run "$OURS" -u STDIN STDERR <in
    same $'one\ntwo' "$output"
    for address in stdin:x stdout:x stdio:x -:x stderr:x FD fd: fd:x fd:-1 fd:99; do
        one ours -u "$address" -
        same 1 "$status"
    done
}

# fds <arguments...>: with 5 open for reading, 6 for writing, 7 for both.
fds() {
    local which program
    for which in ref ours; do
        program=$REF_SOCAT
        [ $which = ref ] || program=$OURS
        echo from5 >"$T/five"
        : >"$T/six"
        echo seven >"$T/seven"
        timeout 20 "$program" -t 5 "$@" <in >"$T/$which.out" 2>"$T/$which.err" \
            5<"$T/five" 6>"$T/six" 7<>"$T/seven"
        cat "$T/six" "$T/seven" >>"$T/$which.out"
    done
    cmp "$T/ref.out" "$T/ours.out" || {
        echo "# $*"
        tail "$T"/{ref,ours}.{out,err}
        return 1
    }
}

@test "descriptors by number" {
    each fds <<'ROWS'
-u 5 -
-u FD:5 -
-u fd:5 6
-u FD:0x5 6
-u FD:05 FD:0006
-u - 6
-u - FD:6
-U 6 5
-U FD:6 -
5!!6 EXEC:cat
'FD:5!!FD:6' EXEC:cat
5!!6 PIPE
-u 7 -
-u - 7
-u 5 7
-u 7 6
-u 5,readbytes=3 6
-u - 6,append
-u 5,ignoreeof=0 6,crnl
0!!6 EXEC:cat
5!!1 EXEC:cat
ROWS
    start_peer peer line line 'send:answer\n' shut eof
    exec 8<>"/dev/tcp/127.0.0.1/$port"
    same answer "$(timeout 20 "$OURS" -t 5 8 - <in)"
    exec 8>&-
    finish peer
}

@test "dual addresses: the first reads, the second writes" {
    each both <<'ROWS'
-!!- PIPE
stdin!!stdout PIPE
STDIN!!STDOUT EXEC:cat
0!!1 EXEC:cat
0!!1 0!!1
- STDIN!!STDOUT
- 'OPEN:left!!CREATE:out'
'OPEN:left!!CREATE:out' 'OPEN:right!!CREATE:out2'
'OPEN:left!!CREATE:out' EXEC:cat
'OPEN:left!!-' EXEC:cat
-!!CREATE:out EXEC:cat
'STDIN!!CREATE:out,mode=600' EXEC:cat
'OPEN:left,readbytes=2!!-' EXEC:cat
'-,readbytes=5!!CREATE:out' EXEC:cat
- 'EXEC:echo hello!!CREATE:out'
- 'SYSTEM:echo hello; cat left!!CREATE:out'
- 'OPEN:left!!EXEC:dd of=out status=none'
'EXEC:echo a!!-' 'EXEC:echo b!!CREATE:out'
- './left!!./out'
- '/dev/null!!CREATE:out'
'./left!!CREATE:out' '/dev/null!!CREATE:out2'
- 'OPEN:left!!OPEN:right,append'
- GOPEN:left!!GOPEN:out
-u 'OPEN:left!!CREATE:out' CREATE:out2
-U 'OPEN:left!!CREATE:out' OPEN:right
-u OPEN:left '-!!CREATE:out'
- 'OPEN:left!!CREATE:out,crnl'
ROWS
    each both_fail <<'ROWS'
- 'OPEN:none!!CREATE:out'
- 'OPEN:left!!OPEN:none'
- 'OPEN:left!!'
- '!!CREATE:out'
- 'OPEN:left!!none:x'
ROWS
}

@test "dual addresses: one side over the network, one in a file" {
    start_peer peer 'send:answer\n' line shut
    same answer "$(timeout 20 "$OURS" -t 5 "OPEN:in!!-" "TCP4:127.0.0.1:$port")"
    finish peer
    has "$(<peer.out)" one
    start_peer a 'send:to b\n' shut eof
    pa=$port
    start_peer b line eof
    timeout 20 "$OURS" -t 5 "TCP4:127.0.0.1:$pa!!/dev/null" "/dev/null,ignoreeof!!TCP4:127.0.0.1:$port"
    finish b
    has "$(<b.out)" 'to b'
}

@test "% joins the other way round" {
    same "$(<in)" "$("$OURS" -t 5 STDOUT%STDIN PIPE <in)"
    same "$(<in)" "$("$OURS" -t 5 1%0 EXEC:cat <in)"
    prepare_case
    "$OURS" -t 5 - 'CREATE:out%OPEN:left' <in >got
    same left "$(<got)"
    cmp out in
}

@test "pipes without a name" {
    each both <<'ROWS'
- PIPE
PIPE -
- pipe
- ECHO
- echo
-b 1 - PIPE
- PIPE,crnl
- PIPE,cr
- PIPE,readbytes=3
ROWS
    seq 1 100000 >in
    both - PIPE
    head -n 1000 in >few
    mv few in
    both -b 5000 - PIPE
}

@test "named pipes" {
    for keyword in PIPE FIFO ECHO; do
        prepare_case() { :; }
        STATUS=0 both -t 0.3 - "$keyword:entry"
        [ ! -e ours/entry ]
    done
    # one that exists stays, and serves two programs
    mkfifo "$T/fifo"
    start reader "$OURS" -d -d -u "PIPE:$T/fifo" - </dev/null
    wait_for 5 file_has reader.err 'named pipe'
    STATUS=0 ours_alone -u - "PIPE:$T/fifo"
    wait_for 5 file_has reader.out two
    finish reader
    [ -p "$T/fifo" ]
    # as files
    mkfifo "$T/fifo2"
    start reader "$REF_SOCAT" -u "OPEN:$T/fifo2" - </dev/null
    STATUS=0 ours_alone -u - "OPEN:$T/fifo2"
    finish reader
    cmp reader.out in
    both_fail - PIPE:
    both_fail - PIPE:a:b
}

@test "named pipes: what is there already is opened, whatever it is" {
    prepare_case() {
        printf 0123456789 >file
        mkdir directory
    }
    STATUS=0 ours_alone - PIPE:file # who is first, reading or writing, is nobody's to say
    STATUS=0 both -u - PIPE:file
    STATUS=0 both -u PIPE:file -
    STATUS=0 both -t 0.1 - PIPE:/dev/null
    both_fail - PIPE:directory
}

@test "two empty inputs; nothing to read on one side" {
    : >in
    for arguments in '- PIPE' '- /dev/null' '/dev/null /dev/null' '- EXEC:true' 'EXEC:true EXEC:true' \
        '-u - -' '-u /dev/null /dev/null' '- EXEC:cat'; do
        # shellcheck disable=SC2086
        STATUS=0 both $arguments
        same '' "$(<ours.err)"
    done
}

@test "one-way addresses where both ways are wanted" {
    run "$OURS" -t 0.1 - STDOUT <in
    has "$output" ' W .*address is opened in read-write mode but only supports write-only'
    run "$OURS" -t 0.1 STDIN - <in
    has "$output" ' W .*address is opened in read-write mode but only supports read-only'
    STATUS=1 ours_alone -u CREATE:made -
    has "$(<ours.err)" ' E .*write-only'
    [ ! -e ours/made ]
    run "$OURS" -u /dev/null /dev/null
    same '' "$output"
}

@test "any address is taken one way, also against its direction" {
    abreast both <<'ROWS'
# what carries both ways carries one
-T 0.2 -u PIPE -
-T 0.2 -U - PIPE
-u - PIPE
-U PIPE -
-T 0.2 -u PIPE!!STDOUT -
-u - PIPE!!STDOUT
-T 0.2 -u UNIX-SENDTO:nobody -
-T 0.2 -u ABSTRACT-SENDTO:nobody -
-T 0.2 -U - UDP4-SENDTO:127.0.0.1:9
-T 0.2 -U - UDP6-SENDTO:[::1]:9
# what cannot do it fails when it is used, and only then
-u - STDIN
-U UNIX-RECV:x -
-u - ABSTRACT-RECV:audit-one-way
-u - UDP4-RECV:0
-u - SOCKET-RECV:2:2:17:x0000x7f000001x0000000000000000
-u STDOUT /dev/null
-U - STDERR
-u STDOUT!!STDIN -
ROWS
    : >in
    abreast both <<'ROWS'
-u - STDIN
-u - UNIX-RECV:x
-u - UDP4-RECV:0
ROWS
    run "$OURS" -u - STDIN <in
    has "$output" ' W .*address is opened in write-only mode but only supports read-only'
    run "$OURS" -u - PIPE <in
    same '' "$output"
}

@test "RECVFROM and UDP-LISTEN, written to only, answer who asked" {
    for address in UDP4-RECVFROM UDP6-RECVFROM UDP4-LISTEN UDP6-LISTEN; do
        port=$(free_port)
        start answer "$OURS" -d -d -u EXEC:'echo answer' "$address:$port" </dev/null
        wait_for 5 file_has answer.err "listening on\|receiving on"
        [[ $address = UDP4* ]] && host=127.0.0.1 || host=[::1]
        same answer "$(echo ask | socat_ref -t 3 - "UDP:$host:$port,readbytes=7")"
        finish answer
    done
    start answer "$OURS" -d -d -u EXEC:'echo answer' "UNIX-RECVFROM:$T/x" </dev/null
    wait_for 5 file_has answer.err 'receiving on'
    same answer "$(echo ask | socat_ref -t 3 - "UNIX-SENDTO:$T/x,bind=$T/y,readbytes=7")"
    finish answer
}

@test "the descriptors we got stay as they were" {
    mkfifo there
    exec 5<>there
    before=$(grep flags /proc/$BASHPID/fdinfo/5)
    timeout 10 "$OURS" -T 0.1 -u 5 - </dev/null
    same "$before" "$(grep flags /proc/$BASHPID/fdinfo/5)"
}
