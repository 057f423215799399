#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Where the version comes from (tools/version), and that whatever is built says the same one.
load ../helpers

# A checkout with what the version is made of, committed on a day of its own.
prepare() {
    export HOME=$T GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@example.org GIT_COMMITTER_NAME=x \
        GIT_COMMITTER_EMAIL=x@example.org GIT_COMMITTER_DATE='2026-02-03T04:05:06+0100' TZ=UTC
    mkdir -p source/tools
    cp "$top/tools/version" source/tools/
    cp "$top/.gitattributes" source/
    echo 'project(catena VERSION 3.1.4 LANGUAGES C)' >source/CMakeLists.txt
    git -C source -c init.defaultBranch=x init -q
    git -C source add .
    git -C source commit -qm one
}

# both <version>: of the checkout, and of the archive that git makes of it
both() {
    same "$1" "$(source/tools/version)"
    rm -rf archive
    mkdir archive
    git -C source archive HEAD | tar -x -C archive
    same "$1" "$(cd / && "$T/archive/tools/version")"
    same 1770087906 "$(archive/tools/version --date)"
    same 1770087906 "$(source/tools/version --date)"
}

hash_of() { git -C source rev-parse HEAD | cut -c 1-10; }

@test "the version is the tag, how far it is away, or the date of the commit" {
    both "3.1.4+20260203.g$(hash_of)"
    git -C source tag other-1
    git -C source tag v3.2.0-rc1
    both '3.2.0~rc1'
    git -C source tag -d v3.2.0-rc1 >/dev/null
    git -C source tag -am 3.2.0 v3.2.0
    both 3.2.0
    git -C source commit -qm two --allow-empty
    both "3.2.0+1.g$(hash_of)"
}

@test "without git there is a version, too, and a checkout around the source is another one's" {
    rm -rf source/.git
    same 3.1.4+dev "$(source/tools/version)"
    same '' "$(source/tools/version --date)"
    git -c init.defaultBranch=x init -q .
    git commit -qm around --allow-empty
    same 3.1.4+dev "$(source/tools/version)"
    git -C source -c init.defaultBranch=x init -q # nothing committed
    same 3.1.4+dev "$(source/tools/version)"
}

@test "a file that has the version already is left alone, another one is made anew" {
    printf 'it is @CATENA_VERSION@\n' >from
    source/tools/version from to
    same "it is 3.1.4+20260203.g$(hash_of)" "$(cat to)"
    touch -d '2001-01-01 00:00Z' to
    source/tools/version from to
    same 978307200 "$(stat -c %Y to)"
    git -C source tag v4.0.0
    source/tools/version from to
    same 'it is 4.0.0' "$(cat to)"
    [ "$(stat -c %Y to)" != 978307200 ]
    same 'from to' "$(echo from* to*)"
}

@test "all that is built says the same version, which only one file is compiled with" {
    build=$(dirname "$CATENA_BIN")
    version=$(catena -V | sed -n 's/^catena version //p')
    has "$version" '^[0-9][0-9]*\.[0-9][0-9]*\.[0-9]'
    for program in filan procan xiorun; do
        same "$program of catena $version" "$("$build/$program" -V)"
    done
    same "$version" "$(PKG_CONFIG_PATH=$build/made pkg-config --modversion xio)"
    same "$version" "$(PKG_CONFIG_PATH=$build/made pkg-config --modversion catena)"
    has_not "$(cat "$build/compile_commands.json")" "$version"
    same "made/engine/base/version.c" "$(cd "$build" && grep -rlF "\"$version\"" --include='*.[ch]' made)"
    same "$version" "$(catena -u 'system:echo $SOCAT_VERSION' -)"
}
