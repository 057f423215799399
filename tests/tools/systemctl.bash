#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# systemctl enable|disable --now <name>: what systemd does of it for a unit that starts one program, where there is no
# systemd. The units are in $UNITS.
unit=$UNITS/$3.service

# The credentials in a directory of the service's, and its program again when it has failed.
supervise() {
    local entry line
    export CREDENTIALS_DIRECTORY=$unit.credentials
    mkdir "$CREDENTIALS_DIRECTORY"
    for entry in $(sed -n 's/^LoadCredential=//p' "$unit"); do cp "${entry#*:}" "$CREDENTIALS_DIRECTORY/${entry%%:*}"; done
    line=$(sed -n 's/^ExecStart=//p' "$unit")
    trap 'kill "$(<"$unit.main")"; wait; exit' TERM
    while :; do
        eval "${line//'${CREDENTIALS_DIRECTORY}'/$CREDENTIALS_DIRECTORY} &"
        echo $! >"$unit.main"
        wait $! && break
    done
}

case $1 in
enable)
    supervise &
    echo $! >"$unit.supervisor"
    ;;
disable)
    kill "$(<"$unit.supervisor")"
    while kill -0 "$(<"$unit.supervisor")" 2>/dev/null; do sleep 0.02; done
    ;;
esac
