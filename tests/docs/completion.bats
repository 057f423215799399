#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion, by what the program offers and in the shells themselves.
load ../helpers

@test "--complete offers addresses, options of that address, values and switches" {
    has "$(catena --complete tcp-li)" $'^tcp-listen:\taccepts'
    has "$(catena --complete 'gzip|UDP-L')" '^gzip|udp-listen:'
    has "$(catena --complete '-% ^open')" '^-% ^openssl-server'
    has "$(catena --complete 'gzip|openssl,caf')" $'^gzip|openssl,cafile=\t'
    has_not "$(catena --complete 'gzip|lev')" '.'
    has "$(catena --complete 'gzip,lev')" '^gzip,level='
    has_not "$(catena --complete 'tcp:h:1,lev')" '.'
    has "$(catena --complete 'tcp-l:80,for')" $'^tcp-l:80,fork\t'
    has "$(catena --complete 'openssl,verify=')" '^openssl,verify=0'
    [ "$(catena --complete 'openssl,cafile=x')" = $'\tfiles\topenssl,cafile=' ]
    [ "$(catena --complete 'open:/e')" = $'\tfiles\topen:' ]
    [ "$(catena --complete 'tcp:lo')" = $'\thosts\ttcp:' ]
    [ "$(catena --complete 'tcp:localhost:8')" = '' ]
    has "$(catena --complete --st)" '^--statistics'
    has "$(catena --complete '')" '^stdio'
    for word in '|' ',' ':' '=' '%' "'" ',,' '||' 'x:y,z=' 'gzip,=' "$(head -c 5000 /dev/zero | tr '\0' a)"; do
        catena --complete "$word" >/dev/null
    done
}

in_shell() {
    local told
    told=$(timeout 100 python3 "$BATS_TEST_DIRNAME/../tools/completes.py" "$1" "$BATS_TEST_DIRNAME/../../completion/$2" "$T/bin" \
        'catena tcp-lis<TAB>' "catena - 'gzip|openssl,cafi<TAB>${3-}" 'catena - openssl:h:1,cafile=file-o<TAB>' \
        'catena open:file-o<TAB>' 'catena --stat<TAB>')
    same "$told" '<tcp-listen:>
<-><gzip|openssl,cafile=>
<-><openssl:h:1,cafile=file-one.pem>
<open:file-one.pem>
<--statistics>'
}

@test "bash, zsh and fish complete a word, in quotes too, a file behind an option, and a switch" {
    mkdir bin
    cat >bin/catena <<EOF
#!/bin/sh
[ "\$1" = --complete ] && exec "$CATENA_BIN" "\$@"
printf '<%s>' "\$@"
EOF
    chmod +x bin/catena
    in_shell bash catena.bash >bash.told 2>&1 & bash=$!
    in_shell zsh _catena "'" >zsh.told 2>&1 & zsh=$!
    in_shell fish catena.fish "'" >fish.told 2>&1 & fish=$!
    for shell in bash zsh fish; do
        wait "${!shell}" || { echo "$shell:"; cat "$shell.told"; failed=yes; }
    done
    [ -z "${failed-}" ]
}

@test "what bash lists does not repeat what has been typed, and what it puts in does" {
    offered() { # <kind of completion> <line> <what readline replaces>
        bash -c 'compopt() { :; }; . "$1"; COMP_TYPE=$2 COMP_LINE=$3 COMP_POINT=${#3} COMP_WORDS=("$CATENA_BIN")
            _catena catena "$4"; printf "%s\n" "${COMPREPLY[@]}"' - "$BATS_TEST_DIRNAME/../../completion/catena.bash" "$@"
    }
    has "$(offered 63 'catena - tcp-l:80,re' 80,re)" '^reuseaddr$'
    has "$(offered 9 'catena - tcp-l:80,re' 80,re)" '^80,reuseaddr$'
    has "$(offered 63 "catena - 'gzip|open" 'gzip|open')" '^openssl:$'
    same '80,reuseaddr' "$(offered 63 'catena - tcp-l:80,reusea' 80,reusea)"
}
