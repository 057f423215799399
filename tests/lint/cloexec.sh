#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every descriptor is close-on-exec from birth: each call that makes one says so, or is known to.
set -eu
source=$1
makes='open|openat|fopen|popen|socket|pipe2|socketpair|accept4|eventfd|signalfd|epoll_create1|timerfd_create|memfd_create|inotify_init1|posix_openpt|recvmsg|dup3'
bare='accept|pipe|dup|dup2|epoll_create|inotify_init|openpty|mkstemp|tmpfile|opendir|fdopen|fileno|forkpty'

# One statement a line, with the file's name in front, without comments and texts in quotes.
statements() {
    find "$source/src" -name '*.c' | sort | while read -r file; do
        sed -E 's/"[rw]?e"/CLOEXEC/g; s/"([^"\\]|\\.)*"/""/g; s|//.*||' "$file" | tr '\n' ' ' |
            sed -E 's|/\*([^*]\|\*+[^*/])*\*+/||g; s/[;{}]/\n/g' | sed -E "s|^|${file#"$source/src/"}: |; s/  +/ /g"
        echo
    done
}

# file.c's flags come from file_flags(), which adds O_CLOEXEC; a program's and a helper's own descriptors are
# made with dup2(), and an error message or MSG_ERRQUEUE makes none. The preload library defines such calls, and the
# way to its helper is to last over exec.
known='^(endpoint/file/file\.c: .*[ (]open\((o->)?path, |endpoint/program/launch\.c: .*dup2\(|engine/run/helper\.c: .*dup2\(|endpoint/packet/dgram\.c: .*(MSG_ERRQUEUE|MSG_DONTWAIT \| MSG_TRUNC\))|analyze/.*MSG_PEEK|preload/hook_[a-z]*\.c: HOOK )'
lasting='^(preload/hook_fd\.c: bool copies = |preload/lease\.c: .*SYS_fcntl, fd, F_SETFD, 0|xiorun/launch\.c: .*fcntl\(high, F_SETFD, 0)'

bad=$(statements | grep -E "(^|[^a-z_.>])($makes|$bare)\(" |
    grep -vE "(^|[^a-z_.>])($makes)\(.*CLOEXEC" | grep -vE "$known" || :)
flags=$(grep -n 'O_CLOEXEC' "$source/src/endpoint/file/file.c" | grep -c 'opts_open_flags' || :)
bad2=$(statements | grep -E 'F_DUPFD[^_]|F_SETFD, *0' | grep -vE "$lasting" || :)
[ -z "$bad$bad2" ] && [ "$flags" = 1 ] || {
    echo "not close-on-exec from birth:"
    printf '%s\n' "$bad" "$bad2"
    exit 1
}
