# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Link times fault: a peer behind the link breaks in one way, and the run has to end with one status
# and one error line and must have delivered what came before. A cell is one run; every cell of a
# row is tried and each one that fails is named.
load ../helpers

N=200000   # bytes before the fault: more than one block of the engines
M=16000000 # more than connections and engines hold

# The links: what stands in front of the peer, and how the peer gets its side of it up.
declare -gA address greeting
address[tcp]=tcp:127.0.0.1:PORT
greeting[tcp]=
address[unix]=unix-connect:peer.sock
greeting[unix]=
address[nop]='nop|tcp:127.0.0.1:PORT'
greeting[nop]=
address[unfused]="${address[nop]}"
greeting[unfused]=
address[tls]='openssl,verify=0|tcp:127.0.0.1:PORT'
greeting[tls]='tls:CERT'
address[proxy]='proxy:www.example:80|tcp:127.0.0.1:PORT'
greeting[proxy]='line line send:HTTP/1.0\x20200\x20yes\r\n\r\n'
address[socks4a]='socks4a:www.example:80,socksuser=x|tcp:127.0.0.1:PORT'
greeting[socks4a]='recv:22 send:\0\x5a\0\0\0\0\0\0'
address[socks5]='socks5:www.example:80|tcp:127.0.0.1:PORT'
greeting[socks5]='recv:3 send:\x05\0 recv:18 send:\x05\0\0\x01\0\0\0\0\0\0'
address[programs]='exec1:cat%exec1:cat|tcp:127.0.0.1:PORT'
greeting[programs]=
address[gzip]='gzip|tcp:127.0.0.1:PORT'
greeting[gzip]=
address[stack]='exec1:cat%exec1:cat|openssl,verify=0|proxy:www.example:80|tcp:127.0.0.1:PORT'
greeting[stack]="${greeting[proxy]} ${greeting[tls]}"

plain='tcp unix nop unfused proxy socks4a socks5 programs'
every="$plain tls stack"

setup_file() {
    export CERTS=$BATS_FILE_TMPDIR/certs IN=$BATS_FILE_TMPDIR/in BIG=$BATS_FILE_TMPDIR/big
    make_certs "$CERTS"
    "$PEER" gen "$N" 7 >"$IN"
    "$PEER" gen "$M" 7 >"$BIG"
}

prepare() { cells=0 failures=(); }

# row <links> <direction> <status> <error line> <bytes> <fault> [<switches>...]: a cell for each
# link, all at the same time. A link with @ in front comes without its greeting. Direction: in (the
# peer's bytes into a file), out (a file to the peer), big (M bytes to the peer), both (N bytes each
# way). Error line: a basic regular expression, or "" for no E line at all. Bytes: how many must be
# in the file, "-" where nobody can say. Fault: the steps of the peer behind the greeting.
row() {
    local link started=()
    for link in $1; do
        cells=$((cells + 1))
        (cell "$link" "${@:2}") >"$T/cell.$cells" 2>&1 3>&- &
        started+=("$!:$cells:$link")
    done
    for link in "${started[@]}"; do
        wait "${link%%:*}" && continue
        link=${link#*:}
        failures+=("${link#*:}")
        echo "--- FAILED: ${link#*:}, $BATS_TEST_DESCRIPTION"
        cat "$T/cell.${link%%:*}"
    done
}

# At the end of each test.
well() {
    echo "$cells cells, ${#failures[@]} failed: ${failures[*]}"
    [ ${#failures[@]} = 0 ] && assert_nothing_left
}

# As run, but not waiting for whoever else has our output.
relay() {
    status=0
    catena "$@" </dev/null >log 2>&1 || status=$?
    output=$(<log)
}

cell() {
    local link=$1 direction=$2 want=$3 pattern=$4 bytes=$5 steps=$6 to
    shift 6
    T=$T/$cells.${link#@}
    mkdir "$T" && cd "$T" || return
    [ "${link#@}" != "$link" ] || steps="${greeting[$link]} $steps"
    link=${link#@} steps=${steps//CERT/$CERTS/server.pem} steps=${steps//N:7/$N:7}
    [ "$link" != unfused ] || set -- --unfused "$@"
    # shellcheck disable=SC2086
    if [ "$link" = unix ]; then start_peer peer unix:peer.sock $steps; else start_peer peer $steps; fi
    to=${address[$link]//PORT/$port}
    case $direction in # where only one direction is used, there is one program
    in) to=${to/exec1:cat%exec1:cat/^exec1:cat} ;;
    out | big) to=${to/exec1:cat%exec1:cat/exec1:cat} ;;
    esac
    case $direction in
    in) relay -u "$@" "$to" create:out ;;
    out) relay -u "$@" "open:$IN" "$to" ;;
    big) relay -u "$@" "open:$BIG" "$to" ;;
    both) relay "$@" "open:$IN!!create:out" "$to" ;;
    esac
    echo "# $to"
    expect || { echo "$output" && cat peer.err; return 1; }
    kill "$(<peer.pid)" 2>/dev/null || :
    wait "$(<peer.pid)" || :
}

# try <status> <pattern of the log, "" for an empty log, "-" for any> <arguments...>: one cell of a
# run that needs no peer; got <bytes> may follow.
try() {
    local want=$1 pattern=$2
    shift 2
    cells=$((cells + 1))
    rm -f out
    relay "$@"
    last="$*"
    if [ "$status" = "$want" ]; then
        case $pattern in
        -) return ;;
        '') same '' "$output" && return ;;
        *) has "$output" "$pattern" && return ;;
        esac
    fi
    failures+=("$last")
    echo "--- FAILED: $last: status $status instead of $want"
    echo "$output"
}

got() { # <bytes>: so many of IN were delivered in the last cell, and nothing else
    bytes=$1 delivered out && return
    failures+=("$last")
    echo "--- FAILED: $last: not what had to be delivered"
}

# Compares with what cell() was told.
expect() {
    same "$want" "$status" || return
    if [ -n "$pattern" ]; then
        has "$output" " E .*$pattern" && same 1 "$(grep -c ' E ' <<<"$output")" || return
    else
        has_not "$output" ' E ' || return
    fi
    [ "$bytes" != - ] || return 0
    case $direction in in | both) delivered out ;; esac
}

delivered() { # <file>: begins with what was sent before the fault, and has nothing else
    same "$bytes" "$(stat -c %s "$1")" && cmp -n "$bytes" "$1" "$IN"
}

# --- networks ---

# in_network <function>: runs it where 10.9.9.2 is in the namespace "far".
in_network() {
    [ "$(id -u)" = 0 ] || skip "needs root: makes network namespaces"
    unshare -n -m ip link add near type veth peer name other 2>/dev/null ||
        skip "no namespaces, or no virtual cables"
    cells=$((cells + 1))
    export HELPERS="$BATS_TEST_DIRNAME/../helpers.bash" T
    # shellcheck disable=SC2016
    unshare -n -m timeout -k 5 "$((2 * LIMIT))" bash -ec '
        source "$HELPERS"
        cd "$T" && mount -t tmpfs none /run && ip netns add far
        ip link add near type veth peer name other netns far
        ip addr add 10.9.9.1/24 dev near && ip link set near up
        ip -n far addr add 10.9.9.2/24 dev other && ip -n far link set other up
        trap "ip netns pids far | xargs -r kill 2>/dev/null || :; kill \$(jobs -p) 2>/dev/null || :" EXIT
        eval "$1"
        "$2"' own "$(declare -f)" "$1"
}
