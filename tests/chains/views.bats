#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A dry run in sentences, as JSON and as a picture.
load ../helpers

line=('tcp-l:8443,fork,range=10.0.0.0/8' '^openssl-server,cert=own.pem,verify=0|gzip|openssl:www.example:443,cafile=ca.pem')
proxied='gzip,level=6|openssl,verify=0|proxy:www:443,proxyauth=joe:s3cret|tcp:proxy:80'

@test "--explain: what each does, who is verified, what is encrypted" {
    has "$(catena --explain "${line[@]}")" 'not there by now'
    touch own.pem ca.pem
    told=$(catena --explain "${line[@]}")
    has "$told" 'each gets a process of its own'
    has "$told" 'Only peers of 10.0.0.0/8 are let in'
    has "$told" 'Clients show no certificate'
    has "$told" 'an authority of ca.pem vouches for, for the name www.example'
    has "$told" '^  tcp-listen:8443 -- openssl-server: encrypted$'
    has "$told" '^  openssl-server -- gzip: plain$'
    has "$told" '^  openssl-client -- tcp-connect:www.example:443: encrypted$'
    told=$(catena --explain - "$proxied")
    has "$told" 'NOT verified'
    has "$told" 'level=6: effort'
    has_not "$told" 's3cret'
    told=$(catena --explain tcp-l:80,thread tcp:backend:80)
    has "$told" 'a few threads serve all of them'
    has "$told" 'plain text goes through the network at tcp-connect:backend:80'
    pin=pin-sha256=VZ96TDmsUXtvMht9rukR4NWEy5S81VBDgHWpMv1i3zc= psk=psk=a:000102030405060708090a0b0c0d0e0f
    while IFS='|' read -r address wanted; do
        told=$(catena --explain - "$address")
        has "$told" "$wanted"
        case $wanted in *others*) ;; *) has_not "$told" 'NOT verified\|anybody may\' ;; esac
    done <<END
openssl:h:443,verify=0,$pin|server has to have a key that is pinned
openssl-listen:443,cert=own.pem,verify=0,$pin|client has to have a key that is pinned
openssl:h:443,commonname=,$pin|for any name, and with a key that is pinned
openssl:h:443,verify=0,$psk|server has to have the key that is known to both sides
openssl-listen:443,verify=0,$psk|nobody else gets in
openssl-listen:443,cert=own.pem,verify=0,$psk|needs no certificate. As to all others
END
    has "$(catena --explain -u - 'open:a%-')" 'One way only: from left to right'
}

@test "-n=json is JSON, whatever stands in a value, and has no secret" {
    catena -n=json - "$proxied" >plan.json
    python3 - <<'EOF'
import json
plan = json.load(open("plan.json"))
names = [p["forward"]["address"] for p in plan["line"]]
assert names == ["stdio", "gzip", "openssl-client", "proxy:www:443", "tcp-connect:proxy:80"], names
assert plan["line"][1]["forward"]["options"] == {"level": "6"}, plan
assert plan["line"][3]["forward"]["options"]["proxy-authorization"] is None
assert [p.get("becomes") for p in plan["line"][1:-1]] == ["engine", "engine", "dialog"]
EOF
    has_not "$(cat plan.json)" 's3cret'
    for value in 'quo\"te' $'caf\xc3\xa9' $'\xff\xfe' $'tab\there' 'back\\slash'; do
        catena -n=json - "open:$value,creat" >plan.json || :
        python3 -c 'import json; json.load(open("plan.json", encoding="utf-8"))'
    done
}

@test "-n=dot is a picture; other views are refused" {
    told=$(catena -n=dot -u - 'gzip|tcp:h:1')
    has "$told" '^digraph line {$'
    has "$told" 'label="tcp-connect:h:1"'
    has "$told" 'n0 -> n1 \[dir=forward\]'
    same "$(catena -n=dot - - | tail -n 1)" '}'
    run catena -n=xml - -
    [ "$status" -eq 1 ]
    has "$output" '"xml" is no view of a plan; sentences, json or dot is expected'
    same "$(catena --dry-run=json - -)" "$(catena -n=json - -)"
}

on_terminal() { timeout 20 script -qec "$*" /dev/null </dev/null; }

@test "--explain breaks its lines where a terminal ends" {
    told=$(on_terminal "stty cols 60; $CATENA_BIN --explain - openssl:www.example.org:443,cafile=/dev/null")
    has "$told" 'an authority'
    has_not "$told" '.\{62\}' # with the carriage return
    has "$(catena --explain - openssl:www.example.org:443,cafile=/dev/null)" '.\{62\}'
}

@test "messages have colors on a terminal, where they are wanted" {
    red=$'\033\\[1;31m'
    export TERM=xterm
    has "$(on_terminal "$CATENA_BIN" - nosuch:x)" "$red.* E unknown device"
    has "$(on_terminal "$CATENA_BIN" - nosuch:x)" "$red"
    has_not "$(NO_COLOR=1 on_terminal "$CATENA_BIN" - nosuch:x)" $'\033'
    has_not "$(TERM=dumb on_terminal "$CATENA_BIN" - nosuch:x)" $'\033'
    has_not "$(on_terminal "$CATENA_BIN" --color=never - nosuch:x)" $'\033'
    has_not "$(on_terminal "$(socat_link)" - nosuch:x)" $'\033'
    run catena - nosuch:x
    has_not "$output" $'\033'
    run catena --color - nosuch:x
    has "$output" "$red"
    catena --color=always -lf log - nosuch:x || :
    has "$(cat log)" ' E unknown'
    has_not "$(cat log)" $'\033'
    run catena --color=blue - -
    has "$output" '"blue" is not always, never or auto'
}
