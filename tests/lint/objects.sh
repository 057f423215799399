#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What must not happen where: codecs, sessions and dialogs touch no descriptor, nothing but main.c
# exits, and no file speaks without diag().
set -eu
source=$1
build=$2
status=0
complain() {
    echo "$*"
    status=1
}

objects=$build/CMakeFiles/catena_code.dir/src
for object in "$objects"/inter/*/*.o; do
    [ -f "$object" ] || complain "no objects in $objects/inter"
    # With -D_FORTIFY_SOURCE some are called __<name>_chk.
    bad=$(nm -u "$object" | sed 's/.* U //; s/^__//; s/_chk$//' |
        grep -xE 'read|write|recv|send|poll|select|socket|connect|fork|vfork|execve|pthread_create' || :)
    case $object:$bad in
    *deflate_ring.c.o:pthread_create) continue ;; # threads that see memory alone
    esac
    [ -z "$bad" ] || complain "$object uses" $bad
done

bad=$(grep -rnE '(^|[^_a-z.>"])(exit|abort)\(' "$source"/src --include='*.c' |
    grep -v '/engine/cli/main\.c:' | grep -vE '^[^:]*:[0-9]+: *(/?\*|//)' || :)
[ -z "$bad" ] || complain "$bad"
bad=$(grep -rnE '(^|[^a-z_])(strcat|sprintf|gets|mktemp|tmpnam|system|pthread_cancel)\(' \
    "$source"/src --include='*.c' | grep -vE '^[^:]*:[0-9]+: *(/?\*|//)' | grep -v '"[^"]*system(' || :)
[ -z "$bad" ] || complain "$bad"
bad=$(grep -rn 'typedef struct' "$source"/src "$source"/include || :)
[ -z "$bad" ] || complain "$bad"
bad=$(grep -rLE '^/\* SPDX-License-Identifier: GPL-2.0-or-later' "$source"/src "$source"/include \
    --include='*.[ch]' || :)
[ -z "$bad" ] || complain "without licence line: $bad"
exit $status
