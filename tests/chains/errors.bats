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

@test "unknown switch, with the nearest one" {
    local typed meant
    while read -r typed meant; do
        run catena "$typed" - -
        same 1 "$status"
        has "$output" "unknown option \"$typed\"; did you mean \"$meant\"?"
    done <<'EOF'
--statistcs --statistics
-statistics --statistics
--stat --statistics
--explian --explain
--sandbx --sandbox
--colo --color
EOF
    for typed in --frobnicate -vx --x; do
        run catena "$typed" - -
        same 1 "$status"
        has "$output" "unknown option \"$typed\"; use option \"-h\" for help"
    done
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

# value <option=value> <what is said> <address>: the caret stands under the value, whatever it is.
value() {
    local text=${1#*=}
    wrong "$text" "$2" -- $L "$3,$1|tcp:127.0.0.1:1"
}

@test "values of the layers' options: what is accepted is said, at the value" {
    each value <<'ROWS'
level=abc 'level "abc" is no number from 0 to 9' gzip
level=23 'level "23" is no number from -100 to 22' zstd
window=9 'window "9" is no number from 10 to 24' brotli
max-ratio=-1 'max-ratio "-1" is no number from 1 to' lz4
threads=many 'threads "many" is no number from 0 to 64' gzip
line-length=1.5 'line-length "1.5" is no number from 0 to 1000000' base64
separator=0x 'separator "0x" has a digit in it' hex
max-size=1k 'max-size "1k" is no number from 1 to 1099511627776' ws
ping=-1 'ping "-1" is no number of seconds from 0 to 1000000' ws
header=foo 'header "foo": a header is "<name>: <value>"' ws
uri=noslash 'uri "noslash": an uri begins with "/"' ws
http-version=3 'http-version=3: 1.0, 1.1 and 2 are possible' proxy:a:1
host=a\ b 'host "a b": a host has neither blanks' ws
half-close=5 'half-close "5" is neither 0 nor 1' ws
handshake-timeout=soon 'handshake-timeout "soon" is no number of seconds' ws
binary=5 'binary "5" is neither 0 nor 1' telnet
charset=x!y 'charset "x!y" is no name of a character set, as UTF-8' telnet
wait=abc 'wait "abc" is no number of seconds from 0' ^telnet-server
baud=-1 'baud "-1" is no number from 1 to 4294967295' rfc2217
size=9 'size "9" is no number from 5 to 8' rfc2217
bits=0 'bits "0" is no number from 1 to 100' pace:9600
seed=-1 'seed "-1" is no number from 0 to 4294967295' delay:1
timeout=-1 'timeout "-1" is no number of seconds from 0' dialog,expect=x
fd=-1 'fd "-1" is no number from 0 to' meter
interval=-1 'interval=-1: 0.02 to 1000000 seconds' meter
ROWS
    wrong '******' 'auth: it is <user>:<password>' -- $L 'ws,auth=secret|tcp:127.0.0.1:1'
    wrong '******' 'auth: it is <user>:<password>' -- $L '^ws-server,auth=secret|tcp:127.0.0.1:1'
    wrong 0xfffffffff 'accm "0xfffffffff" is no number from 0 to 4294967295' -- udp-l:0 'hdlc,accm=0xfffffffff|open:sentinel,creat'
    wrong 70000 'may have from 1 to 65535 bytes' -- udp-l:0 'length16,max-size=70000|open:sentinel,creat'
    wrong max-size 'option "max-size": value required, a number from 1' -- udp-l:0 'length16,max-size|open:sentinel,creat'
    wrong -1 'max-children "-1" is no number from 0' -- tcp-l:0,fork,max-children=-1 $L
    wrong './/b/./a' 'link 1 "tap" writes to the same file in format raw, and this in format pcapng' -- $L \
        'tap:b/a,format=raw|nop|tap:.//b/./a,format=pcapng|tcp:127.0.0.1:1'
    catena -n - 'tap:a,format=hex|tap:b,format=raw|tap:a,format=hex|tap|pipe' >/dev/null
    run catena -b0 - pipe
    has "$output" 'option -b: "0" is not a size in bytes'
}

@test "what is not there when it is opened is shown at its place as well" {
    : >empty
    start_listener server tcp-listen:0,bind=127.0.0.1,fork pipe
    while read -r marked message link; do
        run catena open:/dev/null "$link|tcp:127.0.0.1:$port"
        same 1 "$status"
        has "$output" "$message"
        caret "$marked"
    done <<'ROWS'
nosuch "nosuch".is.not.known.here recode:utf-8:nosuch
no/where "no/where":.no.such.file tap:no/where
no/where "no/where":.no.such.file tap:no/where,format=pcapng
no/where "no/where":.no.such.file sha256:no/where
99 descriptor.99.cannot.be.written meter,fd=99
no/where script."no/where":.no.such dialog:no/where
empty says.nothing.and.waits.for.nothing dialog:empty
no/where static."no/where":.no.such ^ws-server,static=no/where
no/where auth-file."no/where":.no.such ^ws-server,auth-file=no/where
no/where auth-file."no/where":.no.such ws,auth-file=no/where
ROWS
    has "$(catena -n - 'telnet,charset=nosuchset|pipe' 2>&1)" 'character set "nosuchset" is not known here'
    kill "$(<server.pid)"
    finish server 143
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
    has_not "$output" 'part of the name'
    run catena - 'open:nothing|gzip' </dev/null
    has "$output" ' E .*"nothing|gzip": no such file or directory ("|" is part of the name here'
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
