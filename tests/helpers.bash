# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the shell tests share. Rules: no fixed ports, no fixed sleeps, everything in the test's own
# directory, everything bounded by LIMIT, and nothing left running behind a test.

# plain <name> <directory>: a way to it that can stand in an address and in a command as it is; for a
# checkout at "my work/" that is a link.
plain() {
    if [[ $2 == *[^A-Za-z0-9_./+-]* ]]; then
        ln -sfn "$2" "$BATS_RUN_TMPDIR/$1"
        set -- "$1" "$BATS_RUN_TMPDIR/$1"
    fi
    echo "$2"
}

# Where things are. A shell is started for each test, and what the first one has found is exported to the others.
find_things() {
    top=$(plain top "$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)")
    CATENA_BIN=$(realpath "${CATENA_REAL:-${CATENA_BIN:-$top/build/release/catena}}") || {
        echo "no catena: build it first, or set CATENA_BIN" >&2
        exit 1
    }
    CATENA_TOOLS=$(plain tools "${CATENA_TOOLS:-${CATENA_BIN%/*}/tests}")
    CATENA_BIN=$(plain bin "${CATENA_BIN%/*}")/${CATENA_BIN##*/}
    # Programs of the system, which know its modules, not what a user has put in front of them.
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
    FOUND_FOR=$BATS_RUN_TMPDIR NEVER=$BATS_RUN_TMPDIR/never
    [ -p "$NEVER" ] || mkfifo "$NEVER"
    export FOUND_FOR NEVER top PATH CATENA_BIN CATENA_TOOLS
}

[ "${FOUND_FOR:-}" = "$BATS_RUN_TMPDIR" ] || find_things
REF_SOCAT=${REF_SOCAT:-/usr/bin/socat}
# The second run of what is tagged "thread": ours has thread where a test says fork, and hubs drive its lines.
if [ "${CATENA_CONCURRENCY:-fork}" = thread ] && [ -z "${CATENA_REAL:-}" ]; then
    export CATENA_REAL=$CATENA_BIN
    CATENA_BIN=$BATS_RUN_TMPDIR/threaded/catena
    mkdir -p "${CATENA_BIN%/*}"
    [ -e "$CATENA_BIN" ] || ln -s "$top/tests/tools/threaded.bash" "$CATENA_BIN"
fi
PEER=$CATENA_TOOLS/peer
SLOWER=${CATENA_SLOWER:-1} # sanitized builds take longer
LIMIT=$((20 * SLOWER))     # seconds that one command may take
# Quiet periods of what tests send, the first one longer than the -t of socat; never to wait for something.
QUIET='sleep 0.9' BRIEFLY='sleep 0.3'
export BATS_TEST_TIMEOUT=$((60 * SLOWER))
# The same wherever the tests run: what the caller has set for itself is not meant for them.
# shellcheck disable=SC2086
unset -v ${!SOCAT_@} ${!SSL_@} ${!OPENSSL_@} SSLKEYLOGFILE LOCALDOMAIN RES_OPTIONS INPUTRC GZIP \
    http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY \
    BASH_ENV ENV CDPATH POSIXLY_CORRECT
export LC_ALL=C SHELL=/bin/sh
umask 022
export CATENA_BIN REF_SOCAT PEER LIMIT

# --- set up and tear down ------------------------------------------------------------------------

setup() {
    T=$BATS_TEST_TMPDIR
    cd "$T" || return
    pids=()
    set +T
    trace_own
    # Every process started by a test carries the mark in its environment and is found by it.
    export CATENA_TEST_MARK="$BATS_RUN_TMPDIR/$BATS_TEST_NAME/$$/$RANDOM"
    [ -z "${CATENA_SANITIZE:-}" ] || sanitizers_report_to "$T.sanitizer"
    if declare -F prepare >/dev/null; then prepare; fi
}

# bats looks at each command in order to tell where a test fails, which is a third of the time tests take. From here on
# it does so in the functions of the test's own file only.
trace_own() {
    local name file
    # shellcheck disable=SC2046
    while read -r name _ file; do
        [ "$file" != "$BATS_TEST_SOURCE" ] || declare -ft "$name"
    done <<<"$(shopt -s extdebug; declare -F $(compgen -A function))"
}

teardown() {
    local pid left
    left=$(marked)
    for pid in $left; do kill -TERM "$pid" 2>/dev/null || :; done
    [ -z "$left" ] || wait_for 2 nothing_left || for pid in $(marked); do kill -KILL "$pid" 2>/dev/null || :; done
    [ -z "${public:-}" ] || rm -rf "$public"
    if [ -z "${BATS_TEST_COMPLETED:-}" ]; then show_logs; fi
    ! sanitizers_have_reported || return 1
}

# A report fails the test, whatever became of the status and the standard error of that program: many a test
# expects a failure, or kills what runs beside it.
sanitizers_report_to() {
    local options
    for options in ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS; do
        export "$options=${!options:+${!options}:}log_path=$1"
    done
}

# A program that is traced cannot look for leaks, which it reports as well.
sanitizers_have_reported() {
    local reports
    [ -n "${CATENA_SANITIZE:-}" ] || return 1 # which has to be said: this runs in a trap
    mapfile -t reports < <(grep -Ls 'LeakSanitizer has encountered a fatal error' "$T".sanitizer.*)
    [ ${#reports[@]} -gt 0 ] && cat "${reports[@]}"
}

# public_dir: a directory that all users reach, wherever the tests run; it is then in $public.
public_dir() { public=$(mktemp -d /tmp/catena-test.XXXXXX) && chmod 755 "$public"; }

show_logs() {
    local f
    for f in "$T"/*.err "$T"/*.log; do
        [ -s "$f" ] || continue
        echo "--- ${f##*/}"
        tail -n 20 "$f"
    done
}

# Processes of this test, bats' own aside.
marked() (
    mark=CATENA_TEST_MARK=$CATENA_TEST_MARK
    unset CATENA_TEST_MARK # so that what looks does not find itself
    grep -lzsxF "$mark" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
)

nothing_left() { [ -z "$(marked)" ]; }

# Fails and names them when processes of this test still run after a while.
assert_nothing_left() {
    wait_for 5 nothing_left || {
        echo "left running:"
        ps -o pid,ppid,stat,args -p "$(marked | paste -sd,)"
        return 1
    }
}

# --- waiting -------------------------------------------------------------------------------------

# wait_for <seconds> <command...>: until the command succeeds.
wait_for() {
    local end=$((SECONDS + $1 * SLOWER + 1)) ms=10
    shift
    until "$@" 2>/dev/null; do
        ((SECONDS < end)) || return 1
        nap $ms
        ((ms >= 80)) || ((ms *= 2))
    done
}

# nap <milliseconds>: without a process of its own; nobody ever writes into that pipe.
nap() {
    local seconds
    printf -v seconds 0.%03d "$1"
    if [ -p "${NEVER:-}" ] && [ -r "$NEVER" ] && [ -w "$NEVER" ]; then
        read -r -t "$seconds" <>"$NEVER" || :
    else
        sleep "$seconds"
    fi
}

# matches <text> <pattern>: a line of the text matches a basic regular expression. Most of them are words, or mean the
# same as an extended one, and then the shell finds them itself.
matches() {
    local plain=${2#^} line
    if [[ $2 && $2 != *[\].*^\$\[\\]* && $2 != *$'\n'* ]]; then
        [[ $1 == *"$2"* ]]
        return
    fi
    plain=${plain%\$} plain=${plain//\\./} plain=${plain//\[^/[}
    if ((${#1} > 4000)) || [[ $plain == *[+?\(\)\{\}\|\^\$\\]* || $plain == \** || $plain == *$'\n'* || ! $2 ]]; then
        grep -q -e "$2" <<<"$1"
        return
    fi
    while IFS= read -r line; do
        [[ ! $line =~ $2 ]] || return 0
    done <<<"$1"
    return 1
}

# file_has <file> <pattern>: a basic regular expression.
file_has() { [ -s "$1" ] && matches "$(<"$1")" "$2"; }
port_listens() { [ -n "$(ss -Hltn "sport = :$1")" ]; }
# It is there sooner than it listens; and other tests have sockets of that name in directories of theirs.
unix_listens() {
    local pid
    [ "${1#/}" = "$1" ] || { [ -n "$(ss -Hlx "src = unix:$1")" ] && return; }
    for pid in $(ss -Hlxp "src = unix:$1" | grep -o 'pid=[0-9]*'); do
        [ "/proc/${pid#pid=}/cwd" -ef . ] && return
    done
    return 1
}
# A child of this shell's own is, though nobody has waited for it yet; somebody else's has to be collected.
is_gone() {
    local stat
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
    [[ $stat == *") Z $BASHPID "* ]]
}
size_is() { [ "$(stat -c %s "$1" 2>/dev/null)" = "$2" ]; }

# --- running -------------------------------------------------------------------------------------

catena() { timeout -k 5 "$LIMIT" "$CATENA_BIN" "$@"; }
# The reference and ours under its name, for the same command line.
socat_ref() { timeout -k 5 "$LIMIT" "$REF_SOCAT" "$@"; }
socat_ours() {
    [ -e "$BATS_FILE_TMPDIR/ours/socat" ] || socat_link >/dev/null
    timeout -k 5 "$LIMIT" "$BATS_FILE_TMPDIR/ours/socat" "$@"
}
socat_link() {
    local link=$BATS_FILE_TMPDIR/ours/socat
    [ -e "$link" ] || { mkdir -p "${link%/*}" && ln -s "$CATENA_BIN" "$link"; }
    echo "$link"
}

# start <name> <command...>: in the background; its output is in <name>.out and <name>.err, its
# process number in $pid and in <name>.pid. Standard input is that of the caller.
start() {
    local name=$1
    shift
    : >"$T/$name.out" >"$T/$name.err" # nobody shall find what an earlier one wrote
    "$@" <&0 >"$T/$name.out" 2>"$T/$name.err" 3>&- &
    pid=$!
    echo "$pid" >"$T/$name.pid"
}

# within <ulimit arguments> <command...>: in the place of the shell it is called in, with the standard
# descriptors and nobody else's, which would count.
within() {
    local fd
    for fd in "/proc/$BASHPID/fd"/*; do
        fd=${fd##*/}
        ((fd <= 2)) || eval "exec $fd>&-"
    done
    # shellcheck disable=SC2086
    ulimit $1
    exec "${@:2}"
}

# end <pid>: tells it to end. With threads the connections at work go on to their own end, until it is
# told again.
end() {
    kill "$1"
    [ "${CATENA_CONCURRENCY:-}" = thread ] || return 0
    wait_for 1 is_gone "$1" || kill "$1" 2>/dev/null || :
}

# finish <name> [<status>]: waits for a started command, and compares its exit status.
finish() {
    local status=0 p
    p=$(<"$T/$1.pid")
    wait_for "$LIMIT" is_gone "$p" || {
        echo "$1 does not end"
        kill -KILL "$p"
        return 1
    }
    wait "$p" || status=$?
    [ "$status" = "${2:-0}" ] || {
        echo "$1: status $status instead of ${2:-0}"
        cat "$T/$1.err"
        return 1
    }
}

# start_catena <name> <arguments...>: a started catena that tells its port; it is then in $port.
start_listener() {
    local name=$1
    shift
    start "$name" "$CATENA_BIN" -d -d "$@" </dev/null
    wait_for 10 file_has "$T/$name.err" 'listening on' || {
        cat "$T/$name.err"
        return 1
    }
    port=
    # shellcheck disable=SC2034
    [[ ! $(<"$T/$name.err") =~ listening\ on\ AF=[0-9]+\ [^$'\n']*:([0-9]+)($'\n'|$) ]] || port=${BASH_REMATCH[1]}
}

# start_peer <name> <steps...>: a listening test peer; its port is then in $port.
start_peer() {
    local name=$1
    shift
    start "$name" "$PEER" listen "$@" </dev/null
    wait_for 10 peer_is_ready "$T/$name.out" || {
        cat "$T/$name.err"
        return 1
    }
}

peer_is_ready() {
    [[ $(<"$1") =~ ^(port\ ([0-9]+)|ready) ]] && port=${BASH_REMATCH[2]}
}

free_port() { "$PEER" freeport; }

# each [<command...>]: the command with each line of standard input behind it, read as shell words;
# blank lines and comments are left out. A failure shows which row it was, the last one printed.
each() {
    local rows row
    mapfile -t rows
    for row in "${rows[@]}"; do
        [[ $row =~ ^[[:space:]]*(#|$) ]] && continue
        echo "# row: $row"
        eval "$* $row" </dev/null
    done
}

# --- looking -------------------------------------------------------------------------------------

# same <expected> <actual>
same() {
    [ "$1" = "$2" ] || {
        printf 'expected: %q\nactual:   %q\n' "$1" "$2"
        return 1
    }
}

# has <text> <pattern>: a basic regular expression.
has() {
    matches "$1" "$2" || {
        printf 'no "%s" in:\n%s\n' "$2" "$1"
        return 1
    }
}

# has_not <text> <pattern>, lacks <pattern> <file...>: shows what it should not have found.
has_not() {
    ! matches "$1" "$2" || {
        grep -e "$2" <<<"$1"
        return 1
    }
}
lacks() {
    if LC_ALL=C grep -n -a -P -e "$1" "${@:2}"; then return 1; fi
}

# fails <command...>: it ends with a status of its own other than 0, and not because it took too long, was
# killed or is not there. ("! command" is no assertion: a shell with -e goes on behind it.)
fails() {
    local status=0
    "$@" || status=$?
    ((status >= 1 && status < 124)) || {
        echo "status $status: $*"
        return 1
    }
}

# needs_sandbox: --sandbox knows only some kinds of processors, and says so.
needs_sandbox() {
    ! "$CATENA_BIN" --sandbox -u /dev/null "create:$T/boxed" 2>&1 | grep -q 'on this kind of processor' ||
        skip "no filter of system calls for this kind of processor"
}

same_files() { cmp "$1" "$2"; }

# zombies <pid>: children of that process that nobody has collected.
zombies() { ps --ppid "$1" -o stat= 2>/dev/null | grep -c '^Z' || :; }
open_fds() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
peak_kib() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }
threads_of() { find "/proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }

# --- certificates --------------------------------------------------------------------------------

# make_certs <directory>: a CA and what it signed: server (localhost, 127.0.0.1), other (another
# name), client; and self, which nobody signed. <name>.pem holds certificate and key.
make_certs() (
    mkdir -p "$1" && cd "$1" || return
    exec 2>certs.log
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj '/CN=catena test CA' -keyout ca.key -out ca.crt
    sign server localhost 'DNS:localhost,IP:127.0.0.1' &&
        sign other other.example DNS:other.example &&
        sign client client.example DNS:client.example &&
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
            -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout self.key -out self.crt &&
        cat self.crt self.key >self.pem
)

sign() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
        -keyout "$1.key" -out "$1.csr" &&
        openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
            -extfile <(echo "subjectAltName=$3") -out "$1.crt" &&
        cat "$1.crt" "$1.key" >"$1.pem"
}
