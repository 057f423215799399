#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Files that say who may log in, read again when they change: of socks-server, proxy-server and ws-server.
load ../helpers

becomes() { (umask 077 && printf '%s\n' "$@" >auth.new && mv auth.new auth); } # at once

# Logging in as that user and saying hello to an echo; the status is 0 if it comes back.
logs_in() { # <kind> <user> <password>
    local chain
    case $1 in
    socks) chain="socks5:127.0.0.1:$echo,socksuser=$2,sockspass=$3" ;;
    proxy) chain="proxy:127.0.0.1:$echo,proxyauth=$2\\:$3" ;;
    ws) chain="ws,auth=$2\\:$3" ;;
    esac
    [ "$(catena - "$chain|tcp:127.0.0.1:$port" <<<hello 2>>clients.err)" = hello ]
}

# serves <kind> <how> <options> [<switches>...]
serves() {
    local kind=$1 how=$2 options=$3 name=$1$2
    shift 3
    case $kind in
    socks | proxy) start_listener "$name" "$@" "$kind-server,$options|tcp-l:0,bind=127.0.0.1,$how" 'tcp:{targethost}:{targetport}' ;;
    ws) start_listener "$name" "$@" "ws-server,$options|tcp-l:0,bind=127.0.0.1,$how" pipe ;;
    esac
}

prepare() {
    start_listener echo tcp-l:0,bind=127.0.0.1,fork pipe
    echo=$port
    becomes joe:old
}

@test "who is new may come, who has gone may not, and a bad file changes nothing: forked and in threads" {
    for kind in socks proxy ws; do
        for how in fork thread; do
            echo "# $kind $how"
            becomes joe:old
            serves "$kind" "$how" auth-file=auth,reload
            log=$kind$how.err
            logs_in "$kind" joe old
            becomes '# changed' joe:new ann:pass
            fails logs_in "$kind" joe old
            logs_in "$kind" joe new
            echo nonsense >auth
            logs_in "$kind" ann pass
            logs_in "$kind" ann pass
            same 1 "$(grep -c ' W .*what was read before still counts' "$log")"
            same 1 "$(grep -c ' W .*auth.*line 1: <user>:<password> is needed' "$log")"
            rm auth
            logs_in "$kind" ann pass
            becomes bob:x
            fails logs_in "$kind" ann pass
            logs_in "$kind" bob x
            same 2 "$(grep -c ' N .*auth: read again' "$log")"
            end "$(<"$kind$how.pid")"
        done
    done
}

@test "SIGHUP reads again, and without reload it is the end" {
    for kind in socks proxy ws; do
        becomes joe:old
        serves "$kind" thread auth-file=auth,reload=3600 -d
        server=$pid
        becomes joe:new
        logs_in "$kind" joe old
        kill -HUP "$server"
        wait_for 5 file_has "${kind}thread.err" 'the next connection has files read again'
        logs_in "$kind" joe new
        fails logs_in "$kind" joe old
        end "$server"
        serves "$kind" fork auth-file=auth
        kill -HUP "$pid"
        finish "${kind}fork" 129
    done
}

@test "reload=0 is each time, and what has nothing to read again is refused" {
    for kind in socks proxy ws; do
        becomes joe:old
        serves "$kind" thread auth-file=auth,reload=0 -d
        kill -HUP "$pid"
        wait_for 5 file_has "${kind}thread.err" 'the next connection has files read again'
        logs_in "$kind" joe old
        becomes joe:new
        logs_in "$kind" joe new
        end "$pid"
    done
    run catena -n 'socks-server,reload|tcp-l:0' 'tcp:{targethost}:1'
    has "$output" 'link 1 "socks-server": reload: .* auth-file=<file>, which is not given'
    run catena -n 'proxy-server,reload|tcp-l:0' 'tcp:{targethost}:1'
    has "$output" 'link 1 "proxy-server": reload: .* auth-file=<file>, which is not given'
    run catena -n openssl-listen:1,reload=-1 -
    has "$output" 'from 0 to 1000000'
}

@test "also under --sandbox, and not what can be read only once" {
    serves socks fork auth-file=auth,reload --sandbox
    logs_in socks joe old
    becomes joe:new
    logs_in socks joe new
    mkfifo pipe
    fails catena "socks-server,auth-file=pipe,reload|tcp-l:0" tcp:{targethost}:1 2>err
    has "$(<err)" 'auth-file=pipe: with reload it has to be a file, which can be read again'
}
