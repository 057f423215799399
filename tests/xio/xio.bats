#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# libxio and modules as they are installed and built: outside of the tree, by pkg-config alone; in C, C++ and Python.
load ../helpers

setup_file() {
    [ -z "${CATENA_SANITIZE:-}" ] || return 0
    export root=$BATS_FILE_TMPDIR/root
    DESTDIR=$root cmake --install "$(dirname "$CATENA_BIN")" >"$BATS_FILE_TMPDIR/install.log"
    export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=
    PKG_CONFIG_LIBDIR=$(dirname "$(find "$root" -name xio.pc)")
    export lib=${PKG_CONFIG_LIBDIR%/pkgconfig} LD_LIBRARY_PATH=${PKG_CONFIG_LIBDIR%/pkgconfig}
    make_certs "$BATS_FILE_TMPDIR/certs"
}

# The library that was installed is another one under a sanitizer: programs would need its runtime.
prepare() {
    [ -z "${CATENA_SANITIZE:-}" ] || skip "sanitized"
    certs=$BATS_FILE_TMPDIR/certs
}

# build <compiler and flags> <source> <program>
build() {
    # shellcheck disable=SC2046,SC2086
    $1 -Wall -Wextra -Werror -pedantic "$2" -o "$3" $(pkg-config --cflags --libs xio)
}

# The page's first example with the chain in its place, as a program.
talk() { # <chain>
    printf '#include <xio.h>\n#include <unistd.h>\nint main(void)\n{\n'
    printf 'struct xio *xfd; char buff[100]; size_t buflen = sizeof buff; ssize_t bytes; int stdout = 1;\n'
    sed -n '/^\.Bd -literal$/,/^\.Ed$/{/^\./d;p}' "$top/man/xio.3" | head -n 4 | sed "s#ssl|open:/dev/ttyS0#$1#"
    printf 'return 0;\n}\n'
}

@test "the talk's four lines compile as they are, in C and C++" {
    talk 'ssl|open:/dev/ttyS0' >talk.c
    has "$(cat talk.c)" 'xfd = xioopen("ssl|open:/dev/ttyS0");'
    build "cc -std=c11 -D_GNU_SOURCE -Wno-unused-result" talk.c talk
    cp talk.c talk.cc
    build "c++ -Wno-unused-result" talk.cc talk++
    echo greetings >greeting
    talk "base64|open:$T/greeting" >run.c
    build "cc -Wno-unused-result" run.c run
    base64 <<<hello >greeting
    same hello "$(./run)"
}

@test "programs in C and C++, with the shared library and with the archive" {
    cp "$top/tests/xio/lines.c" lines.c
    cp lines.c lines.cc
    build "cc -std=c11 -D_GNU_SOURCE" lines.c lines
    build "c++ -std=c++17" lines.cc lines++
    # shellcheck disable=SC2046
    cc -D_GNU_SOURCE $(pkg-config --cflags xio) lines.c "$lib/libxio.a" -ldl -pthread -o lines-alone
    has "$(readelf -d lines)" 'NEEDED.*libxio.so.1'
    has_not "$(readelf -d lines-alone)" libxio
    for program in lines lines++ lines-alone; do
        same "some text" "$(./$program 'exec:cat' <<<"some text")"
        same "some text" "$(./$program 'gzip|^gzip|base64|^base64|exec:cat' <<<"some text")"
        same "some text" "$(./$program 'telnet|^telnet-server|exec:cat' <<<"some text" | tr -d '\r')"
        run ./$program 'gzip|nonsense:1'
        same 1 "$status"
        has "$output" '^5: .*nonsense'
    done
}

@test "what is exported has a version, and nothing else is exported" {
    has "$(readelf -d "$lib/libxio.so.1")" 'SONAME.*\[libxio.so.1\]'
    said=$(grep -oE '\bxio[a-z_]+\(' "$root"/usr/local/include/xio.h | tr -d '(' | sort -u)
    same "$said" "$(nm -D --defined-only "$lib/libxio.so.1" | sed -n 's/.* T \(.*\)@@XIO_[1-9]$/\1/p' | sort -u)"
    same "" "$(nm -D --defined-only "$lib/libxio.so.1" | grep -v 'XIO_[1-9]$' | grep -vE ' catena_[a-z0-9_]*@@CATENA_1$| A CATENA_1$' || :)"
    same "$(nm -D --defined-only "$CATENA_BIN" | grep -o ' catena_.*' | sort)" \
        "$(nm -D --defined-only "$lib/libxio.so.1" | sed -n 's/.*\( catena_.*\)@@CATENA_1$/\1/p' | sort)"
    same "$said" "$(nm --defined-only --extern-only "$lib/libxio.a" | sed -n 's/.* T //p' | sort -u)"
    for f in $said; do grep -q "Nm $f\b" "$top/man/xio.3"; done
}

@test "loaded and let go a thousand times nothing grows" {
    prepare
    cc -Wall "$top/tests/xio/reload.c" -o reload -ldl
    for chain in 'pipe' 'test|pipe' 'gzip|^gzip|pipe' \
        "openssl,cafile=$certs/ca.crt,commonname=localhost|^openssl-server,cert=$certs/server.pem,verify=0|pipe"; do
        run ./reload "$lib/libxio.so.1" 1000 "$chain"
        same 0 "$status"
        read -r kib maps <<<"$output"
        ((kib < 300 && maps < 4)) || { echo "$chain: $output"; false; }
    done
}

# A process that has nothing to do with it sees nothing of it.
@test "a guest leaves the process as it is" {
    build "cc -std=c11 -D_GNU_SOURCE" "$top/tests/xio/lines.c" lines
    start_listener server "tcp-listen:0,bind=127.0.0.1" "^openssl-server,cert=$certs/server.pem,verify=0|pipe"
    strace -f -o trace -e trace=rt_sigaction,umask,chdir,fchdir,setsid,setuid,chroot,wait4,waitid,socket \
        ./lines "openssl,cafile=$certs/ca.crt|tcp:localhost:$port" <<<"some text" >out
    same "some text" "$(cat out)"
    has "$(cat trace)" 'socket(AF_INET'
    # the first threads of a program: of the C library's own signals, which it does not use
    has_not "$(grep -vE 'rt_sigaction\(SIGRT' trace)" 'rt_sigaction|umask|chdir|setsid|setuid|chroot|wait'
    has_not "$(cat trace)" 'socket([^|]*, SOCK_STREAM,'
}

@test "Python fetches a page through TLS and a proxy" {
    command -v tinyproxy >/dev/null || skip "no tinyproxy"
    echo "<p>found</p>" >page.html
    port=$(free_port)
    start www openssl s_server -accept "127.0.0.1:$port" -cert "$certs/server.pem" -WWW -quiet </dev/null
    wait_for 5 port_listens "$port"
    proxy=$(free_port)
    printf 'Port %s\nListen 127.0.0.1\nAllow 127.0.0.1\n' "$proxy" >tiny.conf
    start tiny tinyproxy -d -c "$T/tiny.conf" </dev/null
    wait_for 5 port_listens "$proxy"
    run python3 "$top/examples/xio/fetch.py" "openssl,cafile=$certs/ca.crt|proxy:localhost:$port|tcp:127.0.0.1:$proxy" \
        localhost /page.html
    same 0 "$status"
    has "$output" '<p>found</p>'
    run python3 "$top/examples/xio/fetch.py" "openssl|proxy:localhost:$port|tcp:127.0.0.1:$proxy" localhost /page.html
    same 1 "$status"
    has "$output" 'certificate'
    (($(wc -l <"$top/examples/xio/fetch.py") <= 21))
}

@test "a chain that talks to the caller is opened behind the handle" {
    run python3 "$top/tests/xio/talks.py" "$certs/server.pem" "$certs/ca.crt"
    same 0 "$status"
    same $'through\nTLSv1.3' "$output"
}

module() { # <name>: one of the examples, built as its head says
    # shellcheck disable=SC2046
    cc -shared -fPIC -Wall -Wextra -Werror $(pkg-config --cflags catena) "$top/examples/modules/$1.c" -o "$1.so"
    (($(wc -l <"$top/examples/modules/$1.c") <= 80))
}

@test "contributed addresses: a codec, a negotiator, an endpoint" {
    for name in skeleton rot13 password ring; do module "$name"; done
    export CATENA_MODULES=$T
    same Uryyb "$(catena -u - 'rot13|skeleton|stdout' <<<Hello)"
    same Hello "$(catena - 'rot13|rot13|skeleton|pipe' <<<Hello)"
    echo sesame >word
    start_listener server "tcp-listen:0,bind=127.0.0.1,fork" '^password-server,word-file=word|rot13|pipe'
    same Hello "$(catena - "password,word=sesame|tcp:127.0.0.1:$port" <<<Hello)"
    run catena - "password,word=simsalabim|tcp:127.0.0.1:$port" <<<Hello
    same 1 "$status"
    has "$output" 'the password was not accepted'
    has_not "$output" simsalabim
    catena -u - ring:last:10 <<<"one two three"
    same "two three" "$(catena -u ring:last:10 -)"
    catena -u - ring:last:10 <<<four
    same $'hree\nfour' "$(catena -u ring:last:10 -)"
    run catena - password
    has "$output" 'inter address'
    run catena - 'password|pipe'
    has "$output" '"word" is missing'
}

@test "what is no module, or not to be trusted, is refused; -V and -h tell where an address is from" {
    module rot13
    has "$(catena --module ./rot13.so -V)" "module $T/rot13.so, version 1: ROT13\$"
    has "$(catena --module "$T" -h)" "^from $T/rot13.so\$"
    has "$(catena --module "$T" -hh)" "^ *ROT13.*from $T/rot13.so"
    refused() { # <module> <pattern>
        run catena --module "$1" - 'rot13|pipe'
        same 1 "$status"
        has "$output" " E module \"$T/$1\".*$2"
    }
    cp rot13.so twice.so
    run catena --module rot13.so --module twice.so - pipe
    same 1 "$status"
    has "$output" 'twice.so.*"ROT13" exists already'
    sed 's/rot13/tcp-connect/Ig' "$top/examples/modules/rot13.c" >taken.c
    sed 's/= CATENA_MODULE(forms, NULL)/= {CATENA_ABI + 1, sizeof catena_module, forms, NULL}/' "$top/examples/modules/rot13.c" >newer.c
    echo 'int nothing;' >none.c
    for name in taken newer none; do
        # shellcheck disable=SC2046
        cc -shared -fPIC $(pkg-config --cflags catena) $name.c -o $name.so
    done
    refused taken.so 'exists already, as TCP-CONNECT'
    refused newer.so 'made for a newer catena'
    refused none.so 'it has no "catena_module"'
    echo text >text.so
    refused text.so 'cannot be loaded'
    chmod 666 rot13.so
    refused rot13.so 'others than root and you may write to it'
    mkdir open
    chmod 777 open
    run catena --module open - pipe
    same 1 "$status"
    has "$output" 'module "open": others than root and you may write to it.*\[E-MODULE\]$'
    run catena --module missing.so - pipe
    same 1 "$status"
    has "$output" 'missing.so.*no such file'
}

@test "a module that fails and says nothing is told of, wherever that is" {
    lost() { # <example> <name in the source> <left> <right>
        sed -E "/^static (int|void|ssize_t) $2\\(/,/^}/s/^\\{/{\\n    if (1) return -1;/" "$top/examples/modules/$1.c" >lost.c
        # shellcheck disable=SC2046
        cc -shared -fPIC $(pkg-config --cflags catena) lost.c -o lost.so
        run catena --module ./lost.so "$3" "$4" <<<text
        same 1 "$status"
        has "$output" ' E .*it has failed, and the address gives no reason.*\[E-FAILED\]$'
    }
    lost rot13 push - 'rot13|pipe'
    lost password ask - 'password,word=x|pipe'
    lost ring ring_open - ring:kept:9
}

@test "a module's address in a chain of libxio's, where the caller asks for it, and of xiorun's" {
    module rot13
    cat >modules.c <<'SOURCE'
#include <stdio.h>
#include <xio.h>
int main(int argc, char **argv)
{
    struct xio_opts o = {.size = sizeof o, .flags = O_RDWR, .modules = argv[1]};
    struct xio *h = xioopen_opts("rot13|exec:cat", argc > 1 ? &o : NULL);
    char text[6] = "";
    if (!h || xiowrite(h, "Hello", 5) != 5 || xioshutdown(h, SHUT_WR) < 0)
        return printf("%s\n", xioerror(NULL)->text), 1;
    while (xioread(h, text, 5) > 0)
        printf("%s", text);
    return xioclose(h);
}
SOURCE
    build "cc -std=c11 -D_GNU_SOURCE" modules.c modules
    same Hello "$(./modules "$T/rot13.so")"
    same Hello "$(./modules ":$T:")"
    run env CATENA_MODULES="$T" ./modules
    same 1 "$status"
    has "$output" 'unknown device/address "rot13"'
    run ./modules "$T/missing.so"
    same 1 "$status"
    has "$output" 'missing.so.*no such file'
    python3 - "$lib/libxio.so.1" "$T/rot13.so" <<'SOURCE' # which loads it for itself alone
import ctypes, sys
xio = ctypes.CDLL(sys.argv[1])
class Opts(ctypes.Structure):
    _fields_ = [(n, t) for n, t in [("size", ctypes.c_size_t), ("flags", ctypes.c_int), ("background", ctypes.c_int),
        ("deadline", ctypes.c_int), ("linger", ctypes.c_int), ("idle", ctypes.c_int), ("log_level", ctypes.c_int),
        ("log", ctypes.c_void_p), ("log_arg", ctypes.c_void_p), ("environment", ctypes.c_void_p), ("block", ctypes.c_size_t),
        ("message", ctypes.c_size_t), ("threads", ctypes.c_size_t), ("facts", ctypes.c_void_p), ("detach", ctypes.c_int),
        ("modules", ctypes.c_char_p)]]
xio.xioopen_opts.restype = ctypes.c_void_p
o = Opts(size=ctypes.sizeof(Opts), flags=2, modules=sys.argv[2].encode())
assert xio.xioopen_opts(b"rot13|pipe", ctypes.byref(o))
SOURCE
    start_peer server line send:Uryyb close
    same Hello "$(CATENA_MODULES=$T "$(find "$root" -name xiorun -type f)" -c "rot13|tcp:127.0.0.1:$port" -- nc -N far.example 1 <<<x)"
}

@test "the command as it is installed finds its families; the library has them built in" {
    installed=$(find "$root" -path '*/bin/catena')
    has "$("$installed" -h telnet)" "^ *from $root/.*/lib.*/catena/families/telnet.so\$"
    same hello "$("$installed" -t2 - 'telnet|^telnet-server|pipe' <<<hello | tr -d '\r')"
    chmod u+s "$installed" # whoever starts it may have put it there, with whatever he likes beside it
    if ((EUID == 0)) && getent passwd nobody >/dev/null; then
        chmod 711 "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR" "$(dirname "$BATS_FILE_TMPDIR")"
        run setpriv --reuid nobody --clear-groups "$installed" - 'telnet|pipe'
        same 1 "$status"
        has "$output" 'module "/usr/local/lib.*/catena/families/telnet.so": no such file'
    fi
    chmod u-s "$installed"
}

@test "a module works in a confined process; pkg-config tells the directory of those that need no name" {
    needs_sandbox
    module rot13
    same Uryyb "$(catena --module rot13.so --sandbox -u - 'rot13|stdout' <<<Hello)"
    has "$(pkg-config --variable=moduledir catena)" '/lib.*/catena/modules$'
}
