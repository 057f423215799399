#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the place of catena in the tests' second run (CATENA_CONCURRENCY=thread): what would fork has
# threads, and a line between something simple and something else becomes a connection of a listener
# with threads, the simple address being the reference's business, so that a hub drives what would
# have had an engine of its own. Arguments, output, and status 0 or 1 are as of one run.
set -u
shopt -s nocasematch
name=${0##*/}
run() { exec -a "$name" "$CATENA_REAL" "$@"; }

# Switches, and then addresses.
args=("$@") switches=() way=
while (($#)) && [[ $1 == -?* ]]; do
    case $1 in
    -u | -U) way=$1 ;;
    -[btTLWS] | -lf | -lp) switches+=("$1" "${2-}") && shift && shift && continue ;;
    -V | -h* | -n | -\? | -*[rR]) run "${args[@]}" ;;
    *) switches+=("$1") ;;
    esac
    shift
done

if [[ ${*-} =~ fork ]]; then
    for ((i = 0; i < ${#args[@]}; i++)); do
        while [[ ${args[i]} =~ ^(.*,)fork([,\|!%].*)?$ ]]; do
            args[i]="${BASH_REMATCH[1]}thread${BASH_REMATCH[2]}"
        done
    done
    run "${args[@]}"
fi

# What the reference can do as well, at either end; and what only the process itself can do, or waits
# for somebody.
simple='^(-|stdio|(open|create):[^|%]*)$'
alone='nofork|stall|listen|-l:|^server|-server|recv|thread|pty|readline|stdin|stdout|^-$|stdio|fd:'
alone+='|shut|end-close|ignoreeof|accept|,retry|,forever'
[[ $# == 2 ]] || run "${args[@]}"
if [[ $1 =~ $simple && ! $1 =~ stall && ! $2 =~ $alone ]]; then
    near=$1 far=$2
elif [[ $2 =~ $simple && ! $1 =~ $alone ]]; then
    near=$2 far=$1
    case $way in -u) way=-U ;; -U) way=-u ;; esac
else
    run "${args[@]}"
fi

front=$(mktemp -d "${TMPDIR:-/tmp}/threaded.XXXXXX")
# Also run by what is told to end before it has become a program.
trap '[[ $BASHPID != $$ ]] || rm -rf "$front"' EXIT
trap 'while kill $(jobs -p) 2>/dev/null; do sleep 0.05; done; wait; exit 143' TERM
# Or in the backlog. The table leaves somebody out when others come and go while it is read: it is read until a while has passed.
connected() {
    local i
    for i in 1 2 3 4 5 6; do
        grep -q " 0[23] *[0-9]* $front/s\$" /proc/net/unix && return
        sleep 0.005
    done
    return 1
}
children() { [[ -n $(cat /proc/"$server"/task/*/children 2>/dev/null) ]]; }
alive() { kill -0 "$1" 2>/dev/null; }
until_not() { local n=0; while "$@"; do sleep "0.0$((++n < 4 ? n : 4))"; done; }

run ${way:+"$way"} "${switches[@]}" "unix-listen:$front/s,thread" "$far" </dev/null 2>"$front/log" &
server=$!
silent() { ! grep -q " 00010000 .* $front/s\$" /proc/net/unix && alive $server; }
until_not silent
: >"$front/client" # looked at before the background has made it
"$REF_SOCAT" -d -d -t 1000 ${way:+"$way"} "$near" "unix-connect:$front/s" <&0 2>"$front/client" &
client=$!
away() { ! grep -q 'starting data transfer' "$front/client" && alive $client; }
until_not away
until_not connected
until_not children
kill $server 2>/dev/null
wait $server
ended=$?
kill $client 2>/dev/null
wait $client
grep -v ' W exiting on signal 15' "$front/log" >&2
((ended == 143)) || exit $ended
if grep -q ' E \|exited with status' "$front/log"; then exit 1; fi
exit 0
