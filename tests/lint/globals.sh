#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is one for the whole process: variables that can change, and calls that change the process or ask
# it for what is an instance's (struct catena). Outside of cli only what stands here, with its reason.
set -eu
build=$2
status=0
complain() {
    echo "$*"
    status=1
}
case ${CATENA_SANITIZE:-} in ?*) exit 77 ;; esac # sanitizers bring variables of their own

objects=$build/CMakeFiles/catena_code.dir/src
list() { find "$objects" -name '*.o' ! -path '*/engine/cli/*' | sed "s|^$objects/||; s|\.c\.o$||" | sort; }

# file, variable: reason
variables='
engine/base/diag about        whose thread this is: one for each thread
engine/base/diag writing      this thread is writing a log line: one for each thread
endpoint/terminal/readline the_editor   readline edits one line in a process, and its callback has no argument
endpoint/address/tcpwrap (wrap|wrap_lock)   the library, and the names of its tables, one in a process: under a lock
'

# file, call: reason
calls='
endpoint/options/apply_process .*       options that are to change the process; refused in a host'"'"'s
endpoint/program/process .*             between fork and exec; nofork, refused in a host'"'"'s
engine/open/open (umask|chdir|fchdir)   options umask and chdir; refused in a host'"'"'s
engine/confine/sandbox_filter (sigaction|pthread_sigmask)  --sandbox; refused in a host'"'"'s
engine/base/catena pthread_sigmask      a guest hides SIGPIPE, and puts the mask back
engine/base/thread pthread_sigmask      what a new thread is born with; put back
'
process='getenv|secure_getenv|setenv|putenv|unsetenv|clearenv|environ|umask|chdir|fchdir|chroot|setuid|setgid|setgroups'
process="$process|setsid|setpgid|signal|sigaction|sigprocmask|pthread_sigmask|setrlimit|prlimit|setlocale|nice|atexit"

allowed() { # <table> <file> <name>
    echo "$1" | while read -r file name _; do
        [ "$file" = "$2" ] && echo "$3" | grep -qxE "$name" && echo yes
    done | grep -q yes
}

for file in $(list); do
    # .data.rel.ro is const once it is relocated
    for name in $(objdump -t "$objects/$file.c.o" | sed -nE \
        's/^[0-9a-f]+ .{7} (\.[a-z.]+|\*COM\*)[^ \t]*\t[0-9a-f]+ (\.hidden )?([^ ]+)$/\1 \3/p' |
        grep -E '^(\.t?data|\.t?bss|\*COM\*)' | grep -v 'rel\.ro' | sed -E 's/^[^ ]+ //; s/\.[0-9]+$//' |
        grep -v '^\.'); do
        allowed "$variables" "$file" "$name" || complain "src/$file.c: variable $name can change, and is one for all"
    done
    for name in $(nm -u "$objects/$file.c.o" | sed 's/.* U //; s/@.*//' | grep -xE "$process" || :); do
        allowed "$calls" "$file" "$name" || complain "src/$file.c uses $name, which is the process's"
    done
done
exit $status
