# SPDX-License-Identifier: GPL-2.0-or-later
"""What the figures were taken on, and with."""
import datetime
import os
import platform
import subprocess

PACKAGES = ("socat", "ncat", "netcat-openbsd", "haproxy", "nginx", "stunnel4", "hitch", "systemd",
            "rinetd", "redir", "pigz", "gzip", "openssl", "zlib1g",
            "zstd", "lz4", "brotli", "libzstd1", "liblz4-1", "libbrotli1")


def first(path, key):
    try:
        with open(path) as f:
            return next(l.split(":", 1)[1].strip() for l in f if l.startswith(key))
    except (OSError, StopIteration):
        return "unknown"


def versions():
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\n", *PACKAGES],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("installed ")]
    return ", ".join(" ".join(f) for f in found)


def wrapped(label, text, width=98):
    words, lines = text.split(), [label.ljust(10)]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > width:
            lines.append(" " * 10)
        lines[-1] += (" " if len(lines[-1]) > 10 else "") + word
    return "\n".join(lines)


def source(binary):
    """The state of the source, or which other program was measured."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run(["git", "-C", top, "describe", "--always", "--dirty"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if not os.path.abspath(binary).startswith(top + os.sep):
        return "program " + os.path.abspath(binary)
    return "source " + (done.stdout.strip() or "without repository")


def describe(options, cgroup):
    memory = int(first("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)
    return "\n".join([
        wrapped("date", datetime.date.today().isoformat() + ", " + source(options.binary)),
        wrapped("machine", "%d x %s, %.0f GiB, load %.1f" % (
            os.cpu_count(), first("/proc/cpuinfo", "model name"), memory, os.getloadavg()[0])),
        wrapped("system", "%s %s" % (platform.system(), platform.release())),
        wrapped("versions", versions()),
        wrapped("run", "%d rounds%s, processor time from %s, files in %s" % (
            options.rounds, ", quick: figures mean little" if options.quick else "",
            "cgroups" if cgroup else "/proc (10 ms)", options.dir or "the temporary directory"))])
