#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# READLINE on a terminal that the reference provides; its own build has no READLINE to compare with.
load ../helpers

prepare() {
    [ -x "$REF_SOCAT" ] || skip "no reference: set REF_SOCAT"
    mkfifo keys
    exec 8<>keys
}

# terminal <options of READLINE> <second address>: on a terminal; type to it with keys, it shows in
# term.out. Its exit status is in the file status, the terminal's settings in before and after.
terminal() {
    printf '%s\n' "$1" >first
    printf '%s\n' "$2" >second
    cat >run.sh <<'EOF'
#!/bin/bash
trap : INT
stty -g >before
"$CATENA_BIN" -d -d -lf log "readline$(<first)" "$(<second)"
echo $? >status
stty -g >after
EOF
    chmod +x run.sh
    INPUTRC=/dev/null TERM=xterm start term "$REF_SOCAT" -t 1 - exec:./run.sh,pty,setsid,ctty,stderr \
        <keys
    wait_for 5 file_has log 'starting data transfer loop' || {
        cat term.out
        return 1
    }
}

keys() { printf "$@" >&8; }
shows() { wait_for 5 file_has term.out "$1"; }

# ends <status>: with that status, and the terminal as it was.
ends() {
    wait_for 10 test -s after
    same "$1" "$(<status)"
    same "$(<before)" "$(<after)"
    kill "$(<term.pid)" 2>/dev/null || : # it would read the keys of the next one
    wait_for 5 is_gone "$(<term.pid)"
    rm -f log after
}

@test "a line is edited, then sent with a newline" {
    terminal '' 'system:cat >got'
    keys 'wrld\001h\005\010\010\010orld\r' # to the front, to the end, three back
    wait_for 5 file_has got .
    keys '\004'
    ends 0
    same hworld "$(<got)"
}

@test "several lines, an empty one, the end" {
    terminal '' 'system:cat >got'
    keys 'one\r\rthree\r'
    wait_for 5 size_is got 11
    keys '\004'
    ends 0
    same "$(printf 'one\n\nthree')" "$(<got)"
}

@test "what is typed is shown, and what comes back" {
    terminal '' 'system:while read l; do echo got \$l; done'
    keys 'hello'
    shows hello
    keys '\r'
    shows 'got hello'
    keys '\004'
    ends 0
}

@test "history: in the run, and in the file" {
    terminal ',history=hist' 'system:cat >got'
    keys 'first\rsecond\r'
    wait_for 5 size_is got 13
    keys '\020\020\r'
    wait_for 5 size_is got 19
    keys '\004'
    ends 0
    same "$(printf 'first\nsecond\nfirst')" "$(<hist)"
    terminal ',history-file=hist' 'system:cat >again'
    keys '\020\020\r'
    wait_for 5 size_is again 7
    keys '\004'
    ends 0
    same second "$(<again)"
}

@test "prompts: what was sent last, a fixed one, none" {
    terminal '' 'system:printf name\:; read l; echo you are \$l; cat >/dev/null'
    shows name:
    keys me
    shows 'name:.*name:me'
    keys '\r'
    shows 'you are me'
    keys '\004'
    ends 0
    terminal ',prompt=>>' 'system:printf name\:; read l; echo you are \$l; cat >/dev/null'
    shows name:
    keys me
    shows 'name:.*>>me'
    keys '\r\004'
    ends 0
    terminal ',noprompt' 'system:printf name\:; read l; echo you are \$l; cat >/dev/null'
    shows name:
    keys me
    shows me
    run grep -c 'name:.*name:' term.out
    same 0 "$output"
    keys '\r\004'
    ends 0
}

@test "noecho: neither on the screen nor in the history" {
    terminal ',noecho=[Pp]assword:,history=hist' \
        'system:printf user\:; read u; printf Password\:; read p; echo \$u \$p >got; echo done; cat >/dev/null'
    shows user:
    keys 'joe\r'
    shows Password:
    keys 'secret\r'
    shows 'done'
    keys '\004'
    ends 0
    same 'joe secret' "$(<got)"
    run grep -c secret term.out
    same 0 "$output"
    same joe "$(<hist)"
    run catena "readline,noecho=[" pipe
    same 1 "$status"
}

@test "Ctrl-C ends with 130, the terminal as it was" {
    terminal '' 'system:cat >got'
    keys 'abc'
    shows abc
    keys '\003'
    ends 130
    [ ! -s got ]
}

@test "the end from the other side while a line is typed" {
    terminal '' 'system:read l; exit 0'
    keys 'go\rhalf a li'
    ends 0
}

@test "output while a line is typed" {
    mkfifo gate
    terminal '' 'system:read g <gate; echo news; read l; echo \$l >got'
    keys 'half'
    shows half
    echo >gate
    shows news
    keys ' done\r'
    wait_for 5 file_has got 'half done'
    ends 0
}

@test "no terminal" {
    run catena readline pipe </dev/null
    same 1 "$status"
    has "$output" 'tcgetattr'
    run catena -u - readline </dev/null
    same 1 "$status"
}
