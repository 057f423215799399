#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Many clients on listeners with fork: no descriptor, process or memory stays behind.
load clients

listener=tcp-listen:0,bind=127.0.0.1,backlog=1024,fork

@test "plain" { under_load $listener pipe; }
@test "a chain" { under_load $listener 'nop|gzip|gunzip|pipe'; }
@test "TLS" { under_load "$listener" "^nop|openssl,verify=0|^openssl-server,cert=$certs/server.pem,verify=0|pipe"; }
@test "a program each" { under_load $listener exec:cat; }
@test "clients that are refused" { under_load "$listener,range=127.0.0.2/32" pipe 100; }
@test "clients whose target is away" { under_load "$listener" "tcp:127.0.0.1:$(free_port)" 100; }
