#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every option that is an object of its own stands in the table of its file: otherwise there would be
# none of that name.
set -eu
status=0
for file in $(grep -rlE '^[A-Z_]+\(opt_' "$1/src" --include='*.c'); do
    for row in $(sed -nE 's/^[A-Z_]+\((opt_[a-z0-9_]+),.*/\1/p' "$file"); do
        grep -qE "(&$row,|NAMED_SECRET_ROWS\($row\))" "$file" || {
            echo "$file: no table lists $row"
            status=1
        }
    done
done
exit $status
