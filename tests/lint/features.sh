#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What needs Linux stands in the files that src/linux.list names, each of them in PORTING.md, by itself or with its
# directory; conditions on the system, the processor and the C library stand in catena/features.h alone. And what is
# linked has all that is loaded elsewhere.
set -eu
cd "$1"
status=0
complain() {
    echo "$*"
    status=1
}

headers='#include <((linux|asm|netpacket)/|sys/(epoll|signalfd|pidfd|prctl|auxv|statfs|xattr|sendfile|syscall|sysmacros)\.h)'
calls='\b(splice|tee|vmsplice|sendfile|copy_file_range|epoll_[a-z0-9]+|signalfd|pidfd_[a-z]+|prctl|setns|unshare|syscall|getauxval|memfd_create|f?statfs|getxattr|process_vm_readv|(recv|send)mmsg)\('
names='\b((AF|PF)_(VSOCK|PACKET)|SO_(PEERCRED|BINDTODEVICE|PRIORITY|MARK|DOMAIN|PROTOCOL)|F_[GS]ETPIPE_SZ|O_(PATH|TMPFILE|NOATIME)|MSG_ERRQUEUE|IP(V6)?_RECVERR|SCM_CREDENTIALS|TCP_INFO|EXTPROC|POLLRDHUP|EPOLL[A-Z]+|SIOC[GS]IF[A-Z]+|si_syscall|SI_KERNEL|__WALL)\b'

# Sentences of messages call nothing; comments do not, either.
uses() {
    sed -E 's,/\*.*\*/,,; /^ *\/?\*( |$)/d; s/"([^"/][^"]*)?"/""/g' "$1" | grep -nE "$headers|$calls|$names|\"/proc"
}

listed=$(awk '/^(whole|part) / { print $2 }' src/linux.list)
for file in $(find src -name '*.[ch]' | sed 's,^src/,,' | sort); do
    said=$(echo "$listed" | grep -cxF "$file" || :)
    if found=$(uses "src/$file"); then
        [ "$said" = 1 ] || complain "src/$file needs Linux, which src/linux.list does not say: $found"
    elif [ "$said" != 0 ]; then
        complain "src/$file needs no Linux: away from src/linux.list"
    fi
done
for file in $listed; do
    [ -e "src/$file" ] || complain "src/linux.list: there is no src/$file"
    grep -qF -e "\`$file\`" -e "\`${file%/*}/\`" PORTING.md || complain "PORTING.md says nothing about src/$file"
done

bad=$(grep -rnE '^ *# *(el)?if.*\b(__(linux|GLIBC|x86_64|i386|aarch64|riscv|ILP32|LP64|SIZEOF_POINTER|FreeBSD|APPLE)[a-z_]*)\b' \
    src include --include='*.[ch]' | grep -v '^include/catena/features.h:' || :)
[ -z "$bad" ] || complain "conditions stand in catena/features.h: $bad"

for name in $(sed -nE 's/^int libraries_load_([a-z0-9]+)\(.*/\1/p' src/inter/libraries/libraries.h); do
    grep -qx "LINKED($name)" src/inter/libraries/libraries_linked.c || complain "libraries_linked.c has no $name"
done
exit $status
