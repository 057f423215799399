#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every assertion of a shell test can fail. What looks like one and is none for a shell with -e:
# "! command" and "[ a ] && [ b ]" ahead of the last line, a pipeline that ends in something that
# always succeeds, and "run" when nobody looks at what came of it.
set -eu
cd "$1/tests"
bad=$(awk '
    function tell(why, at, what) { printf "%s:%d: %s: %s\n", FILENAME, at, why, what }
    BEGIN {
        looks = "(\\[|test |same |has |has_not |lacks |fails |finish |cmp |file_has |same_files )"
    }

    # A command as a whole: lines that go on are joined, and comments and here-documents left out.
    FNR == 1 { document = ""; text = ""; ran = 0 }
    document != "" { if ($0 ~ "^\t*" document "$") document = ""; next }
    { if (text == "") { line = FNR; text = $0 } else text = text " " $0 }
    /[^\\]\\$/ { sub(/\\$/, "", text); next }
    /(&&|\|)$/ { next }
    match($0, /<<-?.?[A-Z]+.?( |$)/) && !/<<</ {
        document = substr($0, RSTART, RLENGTH)
        gsub(/[^A-Z]/, "", document)
    }
    { sub(/^[ \t]+/, "", text) }
    text ~ /^#/ { text = ""; next }

    # Held back until the next line says whether it was the last one of its function.
    held != "" {
        if (text !~ /^[})]/)
            tell("only the end of a list counts, and this is not the end", held_line, held)
        held = ""
    }
    text ~ /(^|[;{(] *|(do|then|else|&&) )! / && text !~ /\|\| / &&
    text !~ /^[a-z_]+\(\) \{ ! [^;]*; \}/ {
        tell("cannot fail, use fails, has_not or lacks", line, text)
    }
    text ~ ("^" looks ".* && " looks) && text !~ /\|\| |"\$\([^"]* && [^"]*\)"/ {
        held = text
        held_line = line
    }
    text ~ ("^" looks ".*[^|]\\| *(head|tail|sed|sort|cat|tee|wc)( |$)") && text !~ /\$\(|<\(/ {
        tell("the status of a pipeline is that of its end", line, text)
    }

    # run: its status, output or lines have to be looked at before the next one, and before the end.
    text ~ /\$\{?#?(status|output|lines|stderr)|expect/ { ran = 0 }
    text ~ /^([A-Za-z_]+=("[^"]*"|[^ ]*) )*run / {
        if (ran)
            tell("nobody looks at what it gave", ran, "run")
        if (text !~ /(^| )run [-!]/ && opened != FNR - 1) # all of a function: its callers look
            ran = line
    }
    text ~ /\(\) \{/ { opened = FNR }
    $0 ~ /^}/ {
        if (ran)
            tell("nobody looks at what it gave", ran, "run")
        ran = 0
    }
    { text = "" }
' helpers.bash */*.bats faults/*.bash load/*.bash v1compat/*.bash)
[ -z "$bad" ] || {
    echo "assertions that cannot fail:"
    echo "$bad"
    exit 1
}
