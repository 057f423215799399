#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Types in a shell on a terminal as somebody would, with TAB, and shows the line that comes of it.

    completes.py bash|zsh|fish COMPLETION PROGRAM-DIRECTORY LINE...

Each LINE is typed, with <TAB> in it; the words that the shell then gives the program are printed by that, a stand-in."""
import os, pty, re, select, shutil, sys, tempfile, time

shell, completion, programs, lines = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3], sys.argv[4:]
home = tempfile.mkdtemp()
start = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             ["bind 'set bell-style none'", "bind 'set enable-bracketed-paste off'", f"source {completion}"]),
    "zsh": (["zsh", "-f", "-i"],
            ["unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste", f"fpath=({os.path.dirname(completion)} $fpath)",
             "autoload -Uz compinit; compinit -u -d $HOME/dump", "setopt no_list_ambiguous"]),
    "fish": (["fish", "--no-config", "-i"], [f"source {completion}"]),
}[shell]

pid, fd = pty.fork()
if pid == 0:
    os.environ.update(HOME=home, PATH=programs + ":" + os.environ["PATH"], TERM="dumb" if shell != "fish" else "xterm",
                      PS1="", COLUMNS="200", LC_ALL="C.UTF-8")
    os.execvp(start[0][0], start[0])

def read_until(mark, patience):
    got, until = "", time.monotonic() + patience
    while mark not in got and time.monotonic() < until:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if b"\x1b[c" in data or b"\x1b[0c" in data:  # a terminal that says what it is
                os.write(fd, b"\x1b[?62c")
            got += data.decode(errors="replace")
    return got

# Nothing tells when a shell has drawn what TAB did: it has told something, and then rests.
def drawn():
    said, until = False, time.monotonic() + 10
    while time.monotonic() < until and (select.select([fd], [], [], 0.5 if said else 3)[0] or not said):
        try:
            said = bool(os.read(fd, 65536))
        except OSError:
            break

def write(text):
    os.write(fd, text.encode())

told = os.path.join(home, "told")
write("\n")
for line in start[1] + [f"cd {home}", "touch file-one.pem"]:
    write(line + "\n")
write("echo re''ady\n")
read_until("ready", 20)
for line in lines:
    # The program is a stand-in, so that nothing runs; its arguments are what the shell made of the line.
    before, behind = line.split("<TAB>")
    write(before + "\t")
    drawn()
    write(f"\x05{behind} > {told}; echo do''ne\n")
    read_until("done", 10)
    time.sleep(0.1)
    print(open(told).read().strip() if os.path.exists(told) else "(nothing)")
    if os.path.exists(told):
        os.unlink(told)
os.kill(pid, 9)
shutil.rmtree(home, ignore_errors=True)

