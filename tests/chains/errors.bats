#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Mistakes on the command line: one error with the place in the argument, the value and a way out;
# status 1; and nothing has been opened.
load ../helpers

# wrong <text under the caret> <patterns...> -- <arguments...>: the message has all the patterns
# (basic regular expressions), and the caret stands under that text.
wrong() {
    local marked=$1 patterns=() pattern
    shift
    while [ "$1" != -- ]; do
        patterns+=("$1")
        shift
    done
    shift
    rm -f sentinel
    run catena "$@" </dev/null
    echo "# $*"
    echo "$output"
    same 1 "$status"
    [ ! -e sentinel ]
    same 1 "$(grep -c '\] E ' <<<"$output")"
    for pattern in "${patterns[@]}"; do has "$output" "$pattern"; done
    caret "$marked"
}

# The last two lines are the argument and the caret under the piece.
caret() {
    local argument carets before length
    argument=$(tail -n 2 <<<"$output" | head -n 1)
    carets=$(tail -n 1 <<<"$output")
    has "$carets" '^ *^~*$'
    before=${carets%%^*}
    length=${carets#"$before"}
    same "$1" "${argument:${#before}:${#length}}"
}

L=open:sentinel,creat

@test "unknown keyword, with the nearest one" {
    wrong tpc 'unknown device/address "tpc"' 'tcp' -- $L tpc:localhost:80
    wrong opnssl '"opnssl"' 'openssl' -- $L 'opnssl,verify=0|tcp:localhost:80'
    wrong frobnicate 'unknown device/address "frobnicate"' -- $L 'frobnicate:1:2'
}

@test "unknown option, with the nearest one" {
    wrong verfy 'unknown option "verfy"' 'did you mean "verify"' -- \
        $L 'openssl,verfy=0|proxy:www:443|tcp:proxy:8080'
    wrong reusadr 'unknown option "reusadr"' '"reuseaddr"' -- tcp-l:0,reusadr $L
}

@test "the message says which address and which link" {
    run catena $L 'openssl,verfy=0|tcp:localhost:80'
    has "$output" 'second address, link 1 "openssl"'
    run catena 'nop|openssl,verfy=0|tcp:localhost:80' $L
    has "$output" 'first address, link 2 "openssl"'
}

@test "an option that does not belong to the address" {
    wrong cafile "cafile" "tcp" -- $L tcp:localhost:80,cafile=x
    wrong level "level" -- $L tcp:localhost:80,level=3
}

@test "-g switches that off: the option is tried, not ignored" {
    run catena -g -u /dev/null create:out,retry=1
    same 0 "$status"
    run catena -g -u /dev/null create:out,cafile=x
    same 1 "$status"
    has "$output" 'option "cafile" could not be used'
}

@test "bad values" {
    wrong 4x 'trailing garbage' '"4x"' -- $L tcp:localhost:80,keepcnt=4x
    wrong abc 'missing numerical value' '"abc"' -- $L tcp:localhost:80,keepcnt=abc
    wrong yes 'missing numerical value' -- $L tcp:localhost:80,keepalive=yes
    wrong 999 '999' '6xx\|octal\|mode' -- $L create:out,mode=999
    wrong nosuchuser 'no such user' '"nosuchuser"' -- $L create:out,user=nosuchuser
    wrong -1 'level.*-1' -- $L 'gzip,level=-1|tcp:localhost:80'
    wrong 99999999999999999999 '99999999999999999999' -- $L tcp:localhost:80,keepcnt=99999999999999999999
}

@test "empty links" {
    for line in '|pipe' 'nop|' 'nop||pipe'; do
        run catena $L "$line" </dev/null
        same 1 "$status"
        has "$output" ' E '
        has "$output" '\^'
        [ ! -e sentinel ]
    done
}

@test "an inter address at the end, an endpoint in the middle" {
    wrong nop 'nop' -- $L nop
    wrong nop 'nop' -- $L 'gzip|nop'
    wrong pipe 'pipe' -- $L 'pipe|pipe'
    wrong create 'create' -- $L 'gzip|create:x|pipe'
    [ ! -e x ]
}

@test "^ on an endpoint" {
    run catena $L '^pipe' </dev/null
    same 1 "$status"
    has "$output" '"pipe"'
    has "$output" '\^'
    [ ! -e sentinel ]
}

@test "a dual where only one direction is used" {
    wrong 'nop%nop' 'dual' -- -u $L 'nop%nop|create:x'
    [ ! -e x ]
}

@test "missing and surplus parameters" {
    wrong tcp:localhost 'tcp' '<host>:<port>' -- $L tcp:localhost
    wrong tcp:localhost:80:81 'tcp' '<host>:<port>' -- $L tcp:localhost:80:81
    wrong stdin:0 'stdin' -- stdin:0 $L
    wrong proxy:a 'proxy' -- $L 'proxy:a|tcp:localhost:80'
}

@test "a form that cannot be used in this direction" {
    wrong testuni 'testuni' -- $L 'testuni|pipe'
    wrong exec1:cat 'exec1' -- $L 'exec1:cat|pipe'
}

@test "unbalanced quotes and brackets" {
    for argument in 'create:"out' "create:'out" 'nop|create:(out' 'create:"[out"' 'create:out\'; do
        run catena $L "$argument" </dev/null
        same 1 "$status"
        has "$output" 'unexpected end\|syntax error'
        [ ! -e sentinel ]
    done
}

@test "number of arguments" {
    run catena -
    same 1 "$status"
    has "$output" ' E '
    run catena - pipe pipe
    same 1 "$status"
    run catena
    same 1 "$status"
}

@test "unknown switches" {
    run catena -q - pipe
    same 1 "$status"
    has "$output" '"-q"'
    run catena --nonsense - pipe
    same 1 "$status"
    has "$output" '"--nonsense"'
    run catena -vx - pipe
    same 1 "$status"
    run catena -b - pipe
    same 1 "$status"
    run catena -u -U - pipe
    [ "$status" -le 1 ]
    run catena -b 9223372036854775808 - pipe
    same 1 "$status"
    has "$output" 'buffer size option (-b) to big'
}

@test "v1's meaning where a piece is no known address" {
    same '7' "$(catena -u 'EXEC:expr 3 + 4' -)"
    same 'x' "$(catena -u 'SYSTEM:echo x y | cut -c1' -)"
    echo content >'a|b'
    same content "$(catena -u './a|b' -)"
    same content "$(catena -u 'open:a|b' -)"
    same '%s' "$(catena -u 'EXEC:echo %s' -)"
    echo content >'^f'
    same content "$(catena -u './^f' -)"
}

@test "--v1 switches chains off" {
    echo content >'nop|pipe'
    run catena --v1 - 'nop|pipe' </dev/null
    same 1 "$status"
    has "$output" 'unknown device/address "nop|pipe"'
    same 'a | pipe' "$(catena --v1 -u 'EXEC:echo a | pipe' -)"
}

@test "an endpoint that fails is an error with the reason" {
    closed=$(free_port)
    run catena - "tcp:127.0.0.1:$closed" </dev/null
    same 1 "$status"
    has "$output" ' E .*connection refused'
    run catena - open:nothing/here </dev/null
    same 1 "$status"
    has "$output" ' E .*nothing/here.*no such file or directory'
    run catena - unix-connect:nothing </dev/null
    same 1 "$status"
    has "$output" ' E .*no such file or directory'
    run catena - "tcp:name.invalid:80" </dev/null
    same 1 "$status"
    has "$output" ' E .*name.invalid'
}

@test "overlong names are errors" {
    long=$(printf 'x%.0s' $(seq 1 5000))
    for address in "tcp:$long:80" "open:$long" "unix:$long" "$long" "exec:$long" "socks4:$long:1|pipe" \
        "openssl,cafile=$long|pipe" "proxy:$long:1|tcp:127.0.0.1:1"; do
        run catena - "$address" </dev/null
        same 1 "$status"
        has "$output" ' E '
    done
    nested=$(printf '(%.0s' $(seq 1 3000))
    run catena - "open:$nested" </dev/null
    same 1 "$status"
}
