#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whatever is installed is in one package of each recipe, the same in all of them, and tells nobody where it was built;
# and what the library exports is in its symbols.
set -eu
source=$1
build=$2
case ${CATENA_SANITIZE:-} in ?*) exit 77 ;; esac # not all is built
status=0
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
tree=$to/all
DESTDIR=$tree cmake --install "$build" --prefix /usr >/dev/null

# Each prints lines of a package and a file.
matches() { # <package> <pattern>...
    for pattern in $2; do
        (cd "$tree" && find $pattern ! -type d -printf "$1 %p\n" 2>/dev/null) || :
    done
}
debian() {
    for list in "$source"/packaging/debian/*.install "$source/packaging/debian/not-installed"; do
        name=${list##*/}
        matches "${name%.install}" "$(sed -n 's|^usr/lib/\*/|usr/lib/|; /^usr/p' "$list")"
    done
}
rpm() {
    sed -E 's|%\{_(bin\|lib\|include)dir\}|usr/\1|; s|%\{_mandir\}|usr/share/man|; s|%\{_datadir\}|usr/share|' \
        "$source/packaging/rpm/catena.spec.in" | awk '
        /^%files/ { name = $2 == "-n" ? $3 : NF > 1 ? "catena-" $2 : "catena" }
        /^%changelog/ { name = "" }
        name && /^usr/ { print name, $1 }' | while read -r name pattern; do matches "$name" "$pattern"; done
}
arch() {
    tools_version PKGBUILD "$source/packaging/arch/PKGBUILD.in"
    bash -euc 'to=$1 srcdir=$1 && . "$to/PKGBUILD" && for p in "${pkgname[@]}"; do
        pkgdir=$to/arch/$p; mkdir -p "$pkgdir"; [ "$p" = catena-doc ] || (package_$p); done' - "$to"
    made arch
}
alpine() {
    tools_version APKBUILD "$source/packaging/alpine/APKBUILD.in"
    mkdir "$to/alpine"
    cp -a "$tree" "$to/alpine/catena"
    mkdir "$to/alpine/catena/usr/share/doc"
    (srcdir=$to pkgdir=$to/alpine/catena && . "$source/packaging/alpine/functions" && . "$to/APKBUILD" && split_packages)
    made alpine
}
tools_version() { sed 's/@CATENA_VERSION@/1.0.0+20260203.gabc/' "$2" >"$to/$1"; }
made() { (cd "$to/$1" && find . -mindepth 2 ! -type d) | sed 's|^\./\([^/]*\)/|\1 |; s|\.gz$||'; }

# The image has the libraries that the package asks for.
image() {
    sed -n '/^Package: catena$/,/^Description/{s/^\(Depends\|Recommends\): //p}' "$source/packaging/debian/control" |
        tr ', ' '\n\n' | grep '^[a-z]' | while read -r package; do
        grep -qw "$package" "$source/packaging/image/Containerfile" || echo "packaging/image: nothing about $package"
    done
}

(cd "$tree" && find usr ! -type d) | sort >"$to/installed"
for recipe in debian rpm arch alpine; do
    $recipe | sort -u -k 2 -k 1 >"$to/dealt"
    sed 's/^[^ ]* //' "$to/dealt" | uniq -d | sed "s|^|packaging/$recipe: more than one package takes |"
    sed 's/^[^ ]* //' "$to/dealt" | sort -u | comm -13 - "$to/installed" | sed "s|^|packaging/$recipe: nothing takes |"
    # The split: who may be where.
    awk '{
        want = $2 ~ /bin\/(socat|filan|procan)$/ ? "catena-socat" : $2 ~ /bin\/|preload/ ? "catena" :
            $2 ~ /include|\.pc$|\.a$|libxio\.so$/ ? "libxio(-dev|-devel)?" : $2 ~ /libxio\.so/ ? "libxio1?" : ".*"
        if ($1 !~ "^" want "$") print "packaging/'$recipe': " $2 " is in " $1
    }' "$to/dealt"
done >"$to/bad"
image >>"$to/bad"
# What is built elsewhere is to be the same: `make reproducible`.
(cd "$tree" && grep -rlF -e "$source/src/" -e "$build/" .) | sed 's|$|: tells where it was built|' >>"$to/bad" || :
cat "$to/bad"
[ ! -s "$to/bad" ] || status=1
for symbol in $(sed -n '/^XIO/,/^}/s/.*global: *//p; /^ *xio[a-z]*;/p' "$source/src/xio/xio.map" | tr -d ' ' | tr ';' ' '); do
    grep -q "^ $symbol@" "$source/packaging/debian/libxio1.symbols" || {
        echo "packaging/debian/libxio1.symbols: nothing about $symbol"
        status=1
    }
done
exit $status
