#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is one for the whole process: variables that can change, and calls that change the process or ask
# it for what is an instance's (struct catena). Outside of cli only what stands here, with its reason.
set -eu
root=$1 build=$2
case ${CATENA_SANITIZE:-} in ?*) exit 77 ;; esac # sanitizers bring variables of their own

# file, variable: reason
variables='
engine/base/diag about        whose thread this is: one for each thread
engine/base/diag writing      this thread is writing a log line: one for each thread
endpoint/terminal/readline the_editor   readline edits one line in a process, and its callback has no argument
endpoint/address/tcpwrap (wrap|wrap_lock|library)   the library, and the names of its tables, one in a process: under a lock
engine/base/library lock      guards the loading of libraries, which a process has once
inter/libraries/libraries (slot_.*|passwords|crypto|ssl|z|zstd|lz4|brotlienc|brotlidec|nghttp2)   where they are and their functions, filled under that lock
endpoint/terminal/readline_load (library|functions)   the same
xio/handles table             a handle that is closed is to be known as one; a lock, and words that change at once
xio/chain kept                the chains opened last, as planned: under a lock
xio/open forks                how often the process has been forked, as that is what makes handles copies
xio/error last                the last error: one for each thread
'

# file, call: reason
calls='
endpoint/options/apply_process .*       options that are to change the process; refused in a host'"'"'s
endpoint/program/launch .*              between fork and exec; nofork, refused in a host'"'"'s
endpoint/program/process .*             between fork and exec; nofork, refused in a host'"'"'s
engine/run/helper .*                    between fork and exec, and the mask around the fork
engine/open/open (umask|chdir|fchdir)   options umask and chdir; refused in a host'"'"'s
engine/confine/sandbox_filter (sigaction|pthread_sigmask)  --sandbox; refused in a host'"'"'s
engine/base/catena pthread_sigmask      a guest hides SIGPIPE, and puts the mask back
endpoint/terminal/tty_port pthread_sigmask   SIGWINCH, where somebody follows the terminal; not in a host'"'"'s
xio/chain environ                       copied where the caller does not say what it is to be
engine/base/thread (pthread_sigmask|pthread_create)  what a new thread is born with, put back; all start here
'
process='getenv|secure_getenv|setenv|putenv|unsetenv|clearenv|environ|umask|chdir|fchdir|chroot|setuid|setgid|setgroups'
process="$process|setsid|setpgid|signal|sigaction|sigprocmask|pthread_sigmask|setrlimit|prlimit|setlocale|nice|atexit|pthread_create"

# "file name" for each; the process's own instance is cli's
objects() { # those of sources that are still there
    for code in catena_code xio_code; do
        (cd "$build/CMakeFiles/$code.dir" && find src -name '*.c.o' ! -path '*/engine/cli/*') |
            while read -r o; do [ ! -e "$1/${o%.o}" ] || echo "$build/CMakeFiles/$code.dir/$o"; done
    done
}
found() { # <command>
    objects "$root" | xargs -d '\n' "$@" |
        sed -E 's/^.*_code\.dir\/src\/(.*)\.c\.o:( +file format.*)?$/file \1/'
}
# .data.rel.ro is const once it is relocated.
changing() {
    found objdump -t | awk '$1 == "file" { file = $2 }
        / (\.t?data|\.t?bss|\*COM\*)/ && !/rel\.ro/ && $NF !~ /^\./ { sub(/\.[0-9]+$/, "", $NF); print file, $NF }'
}
calling() {
    found nm -u | awk -v of="^($process)\$" '$1 == "file" { file = $2 } $1 == "U" { sub(/@.*/, "", $2) } $2 ~ of { print file, $2 }'
}
others() { # <table>: lines that none of its rows allows
    awk -v table="$1" 'BEGIN { n = split(table, row, "\n") }
        { for (i = 1; i <= n; i++) if (split(row[i], r, " ") > 2 && r[1] == $1 && $2 ~ "^(" r[2] ")$") next; print }'
}

bad=$(changing | others "$variables" | sed 's|^|can change, and is one for all: |'
    calling | others "$calls" | sed 's|^|is the process'"'"'s: |')
[ -z "$bad" ] || {
    echo "$bad"
    exit 1
}
