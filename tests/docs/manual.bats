#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What catena(1), catena-addresses(7) and catena-options(7) show: examples are run, all other command lines and chains
# can be planned.
load ../helpers

prepare() {
    man=$BATS_TEST_DIRNAME/../../man
}

# Lines that can be planned, "chain" in front of what is one chain alone. What stands in quotation marks in the middle of
# a sentence is one if it has two addresses. A backslash at the end of a line joins it with the next one.
lines_of() {
    cat "$@" | sed -e ':on' -e '/^catena.*\\e*$/{ N; s/\\e*\n *//; b on' -e '}' | sed -n -e 's/^\.Ql \([a-z0-9^-]*[:,|][^ ]*|[^ ]*\)\( [,.;:)]*\)*$/chain \1/p' \
        -e 's/^\.D[l1] .*catena /catena /p' -e 's/^\(\.Ql \)\{0,1\}catena \([^h].*\)/catena \2/p' |
        sed -e 's/ [.,]$//' -e 's/\\e/\\/g; s/\\&//g; s/\\-/-/g; s/\\(aq/'\''/g; s/\\(dq/"/g' |
        sed -e 's/%h/host/' -e '/^catena -h/d' # %h: ssh puts it in
}

# A file or a service that is not there by now is no mistake of a line.
planned() {
    printf 'catena() { "$CATENA_BIN" -n=json "$@"; }\n%s\n' "$1" >one
    bash ./one >told 2>err || :
    [ -s told ] && has_not "$(cat err)" ' E '
}

@test "each command line and each chain that the pages show makes a plan" {
    printf 'joe:secret\n' >users
    chmod 600 users
    printf '* tcp:localhost:22\n' | tee map >protocols
    printf '* localhost:8080\n' >names
    lines_of "$man"/catena.1 "$man"/catena-addresses.7 "$man"/catena-options.7 | sort -u >lines
    [ "$(grep -c ^catena lines)" -ge 40 ]
    [ "$(grep -c ^chain lines)" -ge 8 ]
    while IFS= read -r line; do
        chain=${line#chain }
        if [ "$chain" = "$line" ]; then
            planned "$line"
        else
            planned "catena - '$chain'" || planned "catena '$chain' -"
        fi || { echo "$line"; cat err; false; }
    done <lines
}

@test "each example of catena(1) gives what the page says" {
    recipes=$BATS_TEST_DIRNAME/../tools/recipes.py
    mkdir bin
    ln -s "$CATENA_BIN" bin/catena
    export PATH="$T/bin:$PATH"
    python3 "$recipes" "$man/catena.1" --materials "$T"
    python3 "$recipes" "$man/catena.1" --run "$T" 0 1
    [ "$(python3 "$recipes" "$man/catena.1" --list | wc -l)" -ge 5 ]
}

@test "the message that catena(1) shows is what is told" {
    sed -n '/^\.Sh DIAG/,/^\.Ed/s/^.*catena\[4711\] \|^    /&/p' "$man/catena.1" >page
    [ "$(wc -l <page)" -eq 3 ]
    run catena - tcp:host
    sed -n '1s/.*4711\] \(.*\) \.\.\. \(.*\)/\1\n\2/p' page >parts
    has "${lines[0]}" "catena\\[[0-9]*\\] $(head -n 1 parts) "
    [ "${lines[0]##* }" = "$(tail -n 1 parts)" ]
    same "$(tail -n 2 page)" "${lines[1]}
${lines[2]}"
}

# Does an address take that option?
taken() {
    case $1 in
        tun) line="tun,$2" ;;
        *) line="$1,$2|tcp:host:1" ;;
    esac
    has_not "$(catena -n - "$line" 2>&1)" ' E '
}

@test "the values that catena-options(7) lists are those that are taken" {
    sed -nE 's/ \| [a-z]+ : Ns.*//; s/^\.It Cm ([a-z-]+) Ns = Ns Cm ([a-z0-9.| ]*[a-z0-9]).*/\1 \2/p' "$man/catena-options.7" | tr -d '|' >listed
    [ "$(wc -l <listed)" -ge 15 ]
    while read -r option values; do
        other=
        case $option in
            line-end) address=lines other=dialog,expect=x ;;
            flush) address=gzip ;;
            padding) address=base64 ;;
            case) address=hex ;;
            on-error) address=recode:utf-8:latin1 ;;
            format | direction) address=tap:file ;;
            on-fail) address=dialog,expect=x ;;
            parity | stop | flow) address=rfc2217 ;;
            proxy-auth-scheme) address=proxy:host:80,proxyauth=a:b,proxy-auth-helper=x ;;
            tun-type) address=tun ;;
            *) address=openssl ;;
        esac
        for value in $values; do
            taken "$address" "$option=$value" || { [ "$other" ] && taken "$other" "$option=$value"; } ||
                { echo "$option=$value is not taken"; false; }
        done
        # these two are looked at when they are opened
        [[ $option = @(tun-type|compress) ]] || ! taken "$address" "$option=nonsense" || { echo "$option takes anything"; false; }
    done <listed
}

@test "what the tables know is put into the page, a row that is new gets an entry, and one that is gone is missed" {
    tables=$(dirname "$(realpath "$CATENA_BIN")")/manual_tables
    [ -x "$tables" ] || skip "sanitized builds have none"
    "$tables" | tee rows |
        awk '{ print } /^O\tbacklog\t/ { print "O\tfresh\tnew-one\tdoes a thing\tnumber\tLISTEN\tLISTEN\t" }' >more
    awk -f "$man/../tools/manual_tables.awk" more "$man/catena-options.7" >page
    same "$(sed -n '/^\.It Cm fresh/,/^\.It Cm accept/p' page | sed '$d')" '.It Cm fresh Ns = Ns Ar value
.\" table
Does a thing.
Type number; group LISTEN; phase LISTEN; also called new-one.'
    sed '/^O\tbacklog\t/d; /^I\tNOP\t/d' rows >less
    run awk -f "$man/../tools/manual_tables.awk" less "$man/catena-options.7"
    [ "$status" -eq 1 ]
    has "$output" 'there is no backlog'
    run awk -f "$man/../tools/manual_tables.awk" less "$man/catena-addresses.7"
    [ "$status" -eq 1 ]
    has "$output" 'there is no NOP of inters'
}
