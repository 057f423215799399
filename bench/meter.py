# SPDX-License-Identifier: GPL-2.0-or-later
"""A contender's processes: started, watched, measured and ended together.

Processor time is that of a cgroup (version 2) of its own where one may be made: exact, children and
their children included however they ended. Else it is summed from /proc over the processes of the
session, with what their parents have waited for; the unit is then 10 ms."""
import os
import signal
import subprocess
import time

POLL = 0.005
TICK = os.sysconf("SC_CLK_TCK")


def cgroup_home():
    """The directory where cgroups for contenders can be made, or None."""
    try:
        mounts = [line.split() for line in open("/proc/mounts")]
        root = next(m[1] for m in mounts if m[2] == "cgroup2")
        own = next(l.split(":", 2)[2].strip() for l in open("/proc/self/cgroup") if l[:3] == "0::")
        home = os.path.join(root + own, "bench-%d" % os.getpid())
        os.mkdir(home)
        probe = subprocess.Popen(["true"], preexec_fn=lambda: enter(home))
        return home if probe.wait() == 0 else None
    except (OSError, StopIteration, subprocess.SubprocessError):
        return None


def enter(directory):
    with open(os.path.join(directory, "cgroup.procs"), "w") as f:
        f.write("0")


class Meter:
    """One start of a contender."""
    home = None
    count = 0

    def __init__(self, log):
        self.log = log
        self.process = None
        self.waited = 0.0
        self.group = None
        if Meter.home:
            Meter.count += 1
            self.group = os.path.join(Meter.home, str(Meter.count))
            os.mkdir(self.group)

    def start(self, argv, stdin=subprocess.DEVNULL, stdout=None, env=None, pass_fds=()):
        self.process = subprocess.Popen(
            argv, stdin=stdin, stdout=stdout or self.log, stderr=self.log, env=env,
            start_new_session=True, pass_fds=pass_fds,
            preexec_fn=(lambda: enter(self.group)) if self.group else None)

    def pids(self):
        if self.group:
            with open(os.path.join(self.group, "cgroup.procs")) as f:
                return [int(line) for line in f]
        return [pid for pid, _ in self.session()]

    def session(self):
        """(pid, processor seconds) of each process of the contender's session."""
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                fields = open("/proc/%s/stat" % name).read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.process.pid:
                yield int(name), sum(map(int, fields[11:15])) / TICK

    def cpu(self):
        """User and system seconds until now."""
        if self.group:
            with open(os.path.join(self.group, "cpu.stat")) as f:
                return int(f.readline().split()[1]) / 1e6
        return self.waited + sum(seconds for _, seconds in self.session())

    def pss(self):
        """Proportional set size of all processes, in KiB."""
        total = 0
        for pid in self.pids():
            try:
                with open("/proc/%d/smaps_rollup" % pid) as f:
                    total += sum(int(l.split()[1]) for l in f if l.startswith("Pss:"))
            except OSError:
                pass
        return total

    def ended(self):
        if self.process.returncode is not None:
            return True
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        if pid == 0:
            return False
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.waited = usage.ru_utime + usage.ru_stime
        return True

    def wait(self, seconds):
        """Until the main process has ended by itself."""
        limit = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() > limit:
                return False
            time.sleep(POLL)
        return True

    def stop(self):
        if self.process is None:
            return
        for number, seconds in (signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0):
            limit = time.monotonic() + seconds
            for pid in self.pids():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            while time.monotonic() < limit:
                self.ended()
                if not self.pids():
                    break
                time.sleep(POLL)
            else:
                continue
            break
        self.wait(1.0)
        if self.group:
            os.rmdir(self.group)
            self.group = None


def listening(where):
    """Whether somebody listens on a loopback port (int) or UNIX socket (path)."""
    if isinstance(where, int):
        tail = ":%04X" % where
        for table in "/proc/net/tcp", "/proc/net/tcp6":
            try:
                with open(table) as f:
                    if any(l.split()[1].endswith(tail) and l.split()[3] == "0A" for l in f):
                        return True
            except OSError:
                pass
        return False
    # Some bind under another name that begins with this one, and rename.
    with open("/proc/net/unix") as f:
        return os.path.exists(where) and any(where in l and l.split()[3] == "00010000" for l in f)
