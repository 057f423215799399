#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Shell files are well-formed, and tests do not sleep for a fixed time.
set -eu
cd "$1"
status=0
for file in tools/setup tools/check tools/new-address tools/manual_html tools/version packaging/deb packaging/try-deb packaging/bare-debian tools/reproducible packaging/*/build packaging/alpine/functions .ci/run tests/fuzz/run tests/lint/*.sh tests/tools/*.sh; do
    sh -n "$file" || status=1
done
for file in tools/demo packaging/try-image packaging/arch/PKGBUILD.in packaging/alpine/APKBUILD.in tests/helpers.bash tests/v1compat/common.bash tests/tools/*.bash tests/peers/*.bash tests/peers/servers/*; do
    bash -n "$file" || status=1
done
bad=$(grep -nE '(^|[^-a-z:"])sleep [0-9]' tests/chains/*.bats tests/v1compat/*.bats | grep -v 'sleep 0\.02' || :)
if [ -n "$bad" ]; then
    echo "$bad"
    status=1
fi
exit $status
