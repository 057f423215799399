#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What -h tells: on a screen, about one thing, in a pager; and what messages teach about the command line.
load ../helpers

@test "-h is one screen, and names each way to ask for more" {
    run catena -h
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -le 50 ]
    has "$output" '^ *NOP TEST'
    has "$output" 'TCP-CONNECT,LISTEN'
    has "$output" ' SOCKS4 '
    has_not "$output" 'TCP4'
    has "$output" '-h tcp-listen'
    for line in "${lines[@]}"; do
        [ "${#line}" -le 80 ] || { echo "$line"; false; }
    done
}

@test "-h explains one thing, by any of its names" {
    has "$(catena -h tcp-l)" '^TCP-LISTEN:<port>$'
    has "$(catena -h tcp-l)" 'also called TCP-L '
    has "$(catena -h TCP-Listen)" '^    catena tcp-listen:'
    has "$(catena -h gzip)" '^    level  .*effort'
    has "$(catena -h gzip)" 'Compresses from left to right'
    has "$(catena -h cafile)" '^openssl-cafile=<file>$'
    has "$(catena -h cacert)" 'authorities that are trusted'
    has "$(catena -h level)" 'option of GZIP'
    has "$(catena -h -T)" '^ *End after so long without any data'
    has "$(catena -h --sandbox)" '^--sandbox$'
    has "$(catena -h '{peeraddr}')" 'told by TCP-CONNECT'
    has "$(catena -h peeraddr)" 'told by TCP-CONNECT'
    has "$(catena -h exit)" '^EXIT STATUS$'
    has "$(catena --help exit)" '128+n after'
    # of one for a version of IP, what the manual says of both
    has "$(catena -h tcp4-listen)" '^    Waits for a connection'
    # what an option may be is none of its names, and what the tables know is told once
    has_not "$(catena -h cr)" 'line-end'
    has_not "$(catena -h backlog)" 'Type number'
    # both what is an endpoint and what is an inter address
    run catena -h socks5
    has "$output" 'inter address: a dialog'
    has "$output" 'short for two'
    # -hh: the options of groups, too
    has_not "$(catena -h tcp-listen)" '^    so-reuseaddr'
    has "$(catena -hh tcp-listen)" '^    so-reuseaddr'
}

@test "what -h writes itself about an address fits a terminal of 80 columns" {
    has_not "$(catena -h peeraddr; catena -h gzip; catena -hh unix-recv; catena -h openssl-server | sed '/^  examples/,$d')" '.\{81\}'
    told=$(catena -h tcp-listen)
    has "$told" 'catena -hh tcp-listen explains$'
    has_not "$(sed '/^  examples/,$d' <<<"$told")" '.\{81\}'
}

@test "each topic that -h lists can be asked about" {
    catena -h | sed -n '/^topics/,/^[a-z]/{/^ /p}' | xargs -n 1 >topics
    grep -qx socat topics
    [ "$(wc -l <topics)" -gt 20 ]
    while read -r name; do
        catena -h "$name" >told || { echo "$name"; false; }
    done <topics
}

@test "what nothing is called is an error that names what is near" {
    run catena -h tpc
    [ "$status" -eq 1 ]
    has "$output" 'nothing is called "tpc".*did you mean "tcp"'
    run catena -h cafil
    has "$output" 'did you mean "cafile"'
    run catena -h reuse
    has "$output" 'or "reuseaddr"' # who has stopped early
    run catena -n - tcp:localhost:1,keep
    has "$output" 'did you mean "keepalive"'
    run catena -h ''
    [ "$status" -eq 1 ]
}

@test "every address and every option can be asked about, and each switch of the manual" {
    catena -hhh >all
    sed -n '/address-head:/,/opts:/p' all | sed -n 's/^      \([A-Z0-9-]*\).*/\1/p' | sort -u >names
    [ "$(wc -l <names)" -gt 100 ]
    sed '1,/opt:/d' all | sed -n 's/^      \([^\t]*\)\t.*/\1/p' | sort -u | awk 'NR % 9 == 0' >>names
    while read -r name; do
        catena -h "$name" >told || { echo "$name"; false; }
        head -n 1 told | grep -qi "^$name" || grep -qi "also called.* \?$name" told || { echo "$name: $(head -n 1 told)"; false; }
    done <names
}

@test "socat -h, -hh and -hhh stay lists; under our name -hh and -hhh have sentences" {
    has "$(socat_ours -h)" '^   address-head:$'
    has "$(socat_ours -h tcp-listen)" '^   address-head:$'
    has_not "$(socat_ours -hhh)" 'certificates (PEM)'
    has "$(catena -hhh)" $'^      openssl-cafile\tgroups=OPENSSL\tphase=SPECIFIC\ttype=.*certificates (PEM)'
    has "$(catena -hh)" $'^      GZIP\trwb.*compresses'
}

@test "long help on a terminal goes through the pager, short help and that of scripts does not" {
    printf '%s\n' 'stty rows 10 cols 80' '"$CATENA_BIN" -h' >ask
    PAGER='sed s/^/paged:/' timeout 20 script -qec 'sh ./ask' /dev/null </dev/null >told
    has "$(cat told)" '^paged:switches'
    PAGER=nosuch timeout 20 script -qec 'sh ./ask' /dev/null </dev/null >told
    has "$(cat told)" '^switches'
    sed -i 's/rows 10/rows 60/' ask
    PAGER='sed s/^/paged:/' timeout 20 script -qec 'sh ./ask' /dev/null </dev/null >told
    has_not "$(cat told)" '^paged:'
    has_not "$(PAGER='sed s/^/paged:/' catena -h)" '^paged:'
}

@test "messages teach what the shell took, and what is of another kind" {
    run catena - gzip
    has "$output" "in quotes: a bare | is the shell's"
    run catena - openssl
    has "$output" "wrong number of parameters (0 instead of 2)"
    has "$output" "or, as an inter address, with | and an endpoint behind it"
    run catena - fork
    has "$output" 'that is an option, which stands behind an address: "address,fork"'
    run catena - exec:cat a b
    has "$output" 'there are 4).*stands in quotes'
    run catena -
    has_not "$output" 'stands in quotes'
}

@test "-V tells the versions of libraries that are here, and why others are not" {
    catena -V >told
    openssl=$(openssl version | sed -E 's/.*Library: OpenSSL ([^ )]+).*/\1/; s/^OpenSSL ([^ ]+).*/\1/')
    has "$(cat told)" "^   OpenSSL ${openssl//./\\.}, built with [0-9]"
    for library in zlib zstd lz4 nghttp2 readline; do
        has "$(cat told)" "^   $library [0-9][0-9.]*, built with [0-9.]*\$"
    done
    has "$(cat told)" '^   brotli [0-9][0-9.]*$'
    has "$(cat told)" '^   built by .* [0-9].*, running with '
    has "$(cat told)" '^of the kernel:'
    has "$(cat told)" '^   Landlock'
    mkdir broken
    : >broken/libzstd.so.1
    LD_LIBRARY_PATH=$T/broken catena -V >told 2>err
    has "$(cat told)" "^   zstd: not here: .*libzstd\.so\.1: .*too short"
    has "$(cat told)" '^   lz4 [0-9]'
    has "$(cat told)" '^  #define WITH_DEFAULT_IPV 4$'
    same '' "$(cat err)"
}
