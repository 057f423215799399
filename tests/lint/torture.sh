#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every function of the C library that the program calls is failed by the torture run
# (tests/torture/calls.def), or stands here because it cannot fail, or has nobody to tell.
set -eu
source=$1
build=$2

# Text, time, memory; what only asks or releases; what a child does between fork and exec.
spared='__cmsg_nxthdr __ctype_.* __errno_location __isoc99_.*scanf __res_.* _exit bcmp memcmp memcpy memmove memset mem.*chr __stack_chk_fail
    closedir fdopendir readdir alphasort geteuid getauxval getpgid sig(abbrev|descr)_np
    clock_gettime cf[gs]et[io]speed cfmakeraw explicit_bzero free freeaddrinfo gai_strerror getenv
    get[p]?pid gettimeofday inet_.* localtime_r pthread_(mutex_(un)?lock|mutex_destroy|join|detach|once|sigmask)
    pthread_attr_(destroy|setstacksize) qsort sig(add|del|empty|fill|ismember).* sigpending sigtimedwait sigaction
    v?snprintf v?fprintf fputs fputc putc fwrite fgets fflush fclose stdout stderr environ
    st[pr].* dladdr openlog syslog reg(comp|exec|error|free) isatty umask uname nanosleep
    memccpy memmem dirname sysconf confstr tzset unsetenv eventfd_(read|write) pthread_cond(attr)?_(broadcast|destroy|signal|(timed)?wait|setclock)
    pthread_condattr_init pthread_mutexattr_(init|destroy|set(type|pshared|robust)) pthread_mutex_consistent madvise munmap time dlsym dlclose dlerror deflate inflate deflateEnd inflateEnd inflateReset zError
    iconv iconv_close get(protobyname|pwnam|pwuid|grnam|servbyname)_r getgrouplist getrandom getrlimit if_indextoname ttyname_r
    in6addr_.* set[gu]id setgroups setns setpgid chroot fchdir lchown mq_.* close_range fnmatch
    pclose signal'

called() {
    find "$build/CMakeFiles/catena_code.dir/src" "$build/CMakeFiles/xio_code.dir/src" -name '*.o' -exec nm -u {} + |
        sed -n 's/^ *U //p' | sed 's/@.*//' | sort -u
}
rows=$(sed -nE 's/^(CALL|WAIT|MOVE|DONE)\([^,]*, ([A-Za-z0-9_]+),.*/\2/p' "$source/tests/torture/calls.def")
libc=$(find /lib /usr/lib -name libc.so.6 2>/dev/null | head -n 1)
exported=$(nm -D --defined-only "$libc" | sed 's/.* //; s/@.*//' | sort -u)
pattern=$(echo $spared $rows asprintf fcntl | tr ' ' '|')
# With -D_FORTIFY_SOURCE some are called __<name>_chk or __<name>_2.
missing=$(called | grep -xF "$exported" | sed -E 's/^__(.*)_(chk|2)$/\1/' |
    grep -vxE "$pattern" || :)
[ -z "$missing" ] || {
    echo "tests/torture/calls.def has no row for:" $missing
    exit 1
}
