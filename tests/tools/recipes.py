#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the recipes of a manual page as they are printed.

    recipes.py PAGE --list                    the titles
    recipes.py PAGE --materials DIR           makes certificates and the like
    recipes.py PAGE --run DIR PART OF         every OF-th recipe from PART on, each in a network of its own

With --peers in front of those: the recipes that have a line  .\" peers , which need large programs of others, and
else all but them.

A recipe is what stands below a .Ss. In its literal blocks a line with "$ " or "# " in front is a command ("&" at its
end: it goes on in the background), what follows is the output it has to give; "..." stands for any lines. Lines of
the source that begin with  .\\" run:  belong to the recipe's other end and are run where they stand; each recipe is
in a new directory, and names that end in .example are hosts of the loopback network."""
import ctypes, os, re, shutil, signal, subprocess, sys, time

PATIENCE = 20  # seconds that a command may take
PEERS = "--peers" in sys.argv

class Recipe:
    def __init__(self, title):
        self.title, self.steps, self.peers = title, [], False  # (command, its output or None: hidden)

def unescape(line):
    for was, becomes in ((r"\(dq", '"'), (r"\(aq", "'"), (r"\-", "-"), (r"\&", "")):
        line = line.replace(was, becomes)
    return line.replace(r"\e", "\\")

def parse(page):
    recipes, literal, joined = [], False, None
    for line in open(page):
        line = line.rstrip("\n")
        if line.startswith(".Ss "):
            recipes.append(Recipe(unescape(line[4:])))
        elif line.startswith(".Sh "):
            recipes.append(None)
        elif line.startswith('.\\" run: ') and recipes[-1]:
            recipes[-1].steps.append((line[9:], None))
        elif line == '.\\" peers' and recipes[-1]:
            recipes[-1].peers = True
        elif line.startswith(".Bd"):
            literal = True
        elif line.startswith(".Ed"):
            literal = False
        elif literal and recipes and recipes[-1]:
            text = unescape(line)
            if joined is not None:
                text = joined + text.lstrip()
            elif text[:2] not in ("$ ", "# "):
                if recipes[-1].steps and recipes[-1].steps[-1][1] is not None:
                    recipes[-1].steps[-1][1].append(text)
                continue
            joined = text[:-1] if text.endswith("\\") else None
            if joined is None:
                recipes[-1].steps.append((text[2:], []))
    return [r for r in recipes if r and r.steps and r.peers == PEERS]

def materials(where, names):
    os.makedirs(where, exist_ok=True)
    def openssl(*args, **more):
        subprocess.run(["openssl", *args], cwd=where, check=True, capture_output=True, **more)
    def certificate(name, extension):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key",
                "-out", name + ".csr", "-subj", "/CN=" + name)
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-out", name + ".crt",
                "-extfile", "/dev/stdin", input=extension.encode())
        with open(os.path.join(where, name + ".pem"), "w") as out:
            for part in (".crt", ".key"):
                out.write(open(os.path.join(where, name + part)).read())
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-days", "2", "-subj", "/CN=Example CA")
    certificate("server", "subjectAltName=DNS:localhost,IP:127.0.0.1," + ",".join("DNS:" + n for n in names) + "\n")
    certificate("client", "subjectAltName=DNS:client.example\nextendedKeyUsage=clientAuth\n")

def listening():
    n = 0
    for name in ("tcp", "tcp6", "udp", "udp6"):
        for line in open("/proc/net/" + name):
            n += line.split()[3] == ("0A" if name.startswith("tcp") else "07")
    return n + sum(" 00010000 " in line for line in open("/proc/net/unix"))

class Failed(Exception):
    pass

class Run:
    def __init__(self):
        self.behind = []

    def background(self, command):
        before = listening()
        p = subprocess.Popen(["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=open("background.out", "a"),
                             stderr=open("background.err", "a"), start_new_session=True)
        self.behind.append(p)
        until = time.monotonic() + (PATIENCE if PEERS else 1.5)  # what connects, or makes a device, is there by then
        while time.monotonic() < until and p.poll() is None and listening() <= before:
            time.sleep(0.02)

    def foreground(self, command, want):
        try:
            p = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               errors="replace", timeout=PATIENCE)
        except subprocess.TimeoutExpired as e:
            raise Failed(f"$ {command}\ntakes too long; so far: {e.stdout} {e.stderr}")
        got = p.stdout + p.stderr
        if want is None:
            if p.returncode != 0:
                raise Failed(f"other end: {command}\nstatus {p.returncode}: {got}")
            return
        pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line.rstrip()) + r"[ \t\r]*\n" for line in want)
        if not re.fullmatch(pattern, got if got.endswith("\n") or not got else got + "\n"):
            raise Failed(f"$ {command}\nsays (status {p.returncode}):\n{got}instead of:\n" + "\n".join(want))

    def end(self):
        for how in [signal.SIGTERM] * PEERS + [signal.SIGKILL]:  # large ones have something to remove
            for p in self.behind:
                try:
                    os.killpg(p.pid, how)
                except ProcessLookupError:
                    pass
            for p in self.behind:
                try:
                    p.wait(10)
                except subprocess.TimeoutExpired:
                    pass

def attempt(recipe, where, materials):
    shutil.rmtree(where, ignore_errors=True)
    shutil.copytree(materials, where)
    os.chdir(where)
    run = Run()
    try:
        for command, want in recipe.steps:
            if command.endswith("&"):
                run.background(command[:-1])
            else:
                run.foreground(command, want)
    except Failed as e:
        told = open("background.err").read() if os.path.exists("background.err") else ""
        print(f"{recipe.title}: FAILED\n{e}\nin the background: {told}", flush=True)
        return False
    finally:
        run.end()
    print(f"{recipe.title}: ok", flush=True)
    return True

def names_of(page):
    return sorted(set(re.findall(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.example\b", open(page).read())))

def hosts(page):
    names = names_of(page)
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    return lines + [f"127.1.0.{i + 1} {name}" for i, name in enumerate(names)]

def own_namespaces():
    """Network and mounts; who is not root is it there."""
    NEWNS, NEWUSER, NEWNET, PRIVATE, RECURSIVE = 0x20000, 0x10000000, 0x40000000, 1 << 18, 0x4000
    libc = ctypes.CDLL(None, use_errno=True)
    def check(result):
        if result != 0:
            raise OSError(ctypes.get_errno(), "namespaces")
    user, group = os.geteuid(), os.getegid()
    check(libc.unshare(NEWNS | NEWNET | (NEWUSER if user else 0)))
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")) if user else ():
        with open("/proc/self/" + name, "w") as f:
            f.write(text)
    check(libc.mount(b"none", b"/", None, PRIVATE | RECURSIVE, None))

def alone(page, recipe, where, number):
    own_namespaces()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    path = os.path.join(where, "hosts.%d" % number)
    with open(path, "w") as f:
        f.write("\n".join(hosts(page)) + "\n")
    subprocess.run(["mount", "--bind", path, "/etc/hosts"], check=True)
    return attempt(recipe, os.path.join(where, "recipe.%d" % number), os.path.join(where, "materials"))

def run_some(page, where, part, of):
    """Each in a process of its own, with namespaces of its own."""
    failed = False
    for number, recipe in list(enumerate(parse(page)))[part::of]:
        pid = os.fork()
        if pid == 0:
            good = False
            try:
                good = alone(page, recipe, where, number)
            except Exception as e:
                print(f"{recipe.title}: FAILED\n{e}", flush=True)
            os._exit(not good)
        failed |= os.waitpid(pid, 0)[1] != 0
    return failed

def main():
    page, what, *rest = [a for a in sys.argv[1:] if a != "--peers"]
    page = os.path.abspath(page)
    if what == "--list":
        print("\n".join(r.title for r in parse(page)))
    elif what == "--materials":
        materials(os.path.join(rest[0], "materials"), names_of(page))
    elif what == "--run":
        sys.exit(run_some(page, rest[0], int(rest[1]), int(rest[2])))

main()
