# SPDX-License-Identifier: GPL-2.0-or-later
"""One contender run once: the relay, the load generator, and what is made of their work."""
import gzip
import hashlib
import json
import os
import random
import re
import select
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

import meter

HERE = os.path.dirname(os.path.abspath(__file__))
READY_SECONDS = 10
LOAD_SECONDS = 120
SETTLE = 0.02  # for the last children of the relay to end
TRIAL_SIZE = 8 << 20
HALF_CLOSE = "loses data at half-close"


class Fault(Exception):
    """This contender cannot be measured."""


def free_ports(count):
    """Ports nobody uses, below those the system gives to clients."""
    found = []
    while len(found) < count:
        port = random.randrange(15000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


class Generator:
    """A load generator: says "ready", waits for a line, prints its result."""

    def __init__(self, argv, env, log, pass_fds=()):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=log, env=env, text=True, pass_fds=pass_fds)
        self.line(READY_SECONDS)

    def line(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise Fault("no result within %d s" % seconds)
        line = self.process.stdout.readline()
        if not line:
            raise Fault("the transfer failed")
        return line

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def result(self):
        return json.loads(self.line(LOAD_SECONDS))

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Case:
    """One contender, run once."""

    def __init__(self, bench, workload, contender, trial=False):
        self.bench, self.workload, self.contender = bench, workload, contender
        self.dir = tempfile.mkdtemp(dir=bench.dir)
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.generate = trial and workload.trial_load or workload.load
        self.relay = self.generator = None
        self.wrong = ""  # why its figures stand in no comparison
        listen, target, spare = free_ports(3)
        size = workload.quick if bench.quick else workload.size
        if trial:
            size = min(size, workload.trial or TRIAL_SIZE)
        if contender.kind == "direct":
            listen = target
        path = os.path.join(self.dir, "in.sock")
        unix = workload.listen == "unix"
        self.where = path if unix else listen
        self.words = dict(
            bench.words, dir=self.dir, listen=listen, target=target, spare=spare, size=size,
            half=size // 2, socket=path, full="-f" if trial else "",
            listen_address="unix:" + path if unix else "127.0.0.1:%d" % listen,
            listen_haproxy="unix@" + path if unix else "127.0.0.1:%d" % listen,
            listen_systemd=path if unix else "127.0.0.1:%d" % listen,
            out=os.path.join(self.dir, "out"))
        if workload.file:
            self.words["file"] = bench.made("pattern", size)
        if workload.text:
            self.words["text"] = bench.made("words", size)
        self.words.update(workload.words)
        self.words.update(contender.words)

    def replace(self, text):
        def word(match):
            name = match.group(1)
            if name.startswith("conf:"):
                return self.config(name[5:])
            return str(self.words[name])
        return re.sub(r"@([a-z_]+(?::[-a-z.]+)?)@", word, text)

    def config(self, name):
        with open(os.path.join(HERE, "peers", name)) as f:
            text = self.replace(f.read())
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def argv(self, command):
        return [word for word in (self.replace(w) for w in shlex.split(command)) if word]

    def start_relay(self, **how):
        if self.contender.command is None:
            return
        self.relay = meter.Meter(self.log)
        self.relay.start(self.argv(self.contender.command), env=self.bench.env, **how)

    def wait_ready(self):
        limit = time.monotonic() + READY_SECONDS
        while self.relay and not meter.listening(self.where):
            if self.relay.ended():
                raise Fault("did not start: " + self.last_words())
            if time.monotonic() > limit:
                raise Fault("does not listen")
            time.sleep(meter.POLL)

    def start_generator(self, command, pass_fds=()):
        argv = self.argv(command)
        argv[0] = os.path.join(self.words["tools"], argv[0])
        self.generator = Generator(argv, self.bench.env, self.log, pass_fds)

    def cpu(self):
        return self.relay.cpu() if self.relay else 0.0

    def last_words(self):
        self.log.flush()
        with open(self.log.name) as f:
            lines = [l.strip() for l in f if l.strip()]
        return lines[-1][:100] if lines else "no message"

    def close(self):
        for part in self.generator, self.relay:
            if part:
                part.stop()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def load_started(self):
        """The relay begins at once, so the generator has to be there before."""
        ends = os.pipe() if self.workload.pipe else ()
        try:
            self.words["pipe"] = ends[1] if ends else None
            self.start_generator(self.generate, ends[1:])
            self.generator.go()
            for fd in ends[1:]:
                os.close(fd)
            ends = ends[:1]
            self.start_relay(stdin=ends[0] if ends else subprocess.DEVNULL)
        finally:
            for fd in ends:
                os.close(fd)

    # Checks of what came out: what is wrong with it, if anything.

    def written_file(self):
        checker = Generator(self.argv("@tools@/flow @full@ -b @size@ none in:@out@"),
                            self.bench.env, self.log)
        try:
            checker.go()
            return checker.result()["fault"]
        finally:
            checker.stop()

    def packed_file(self):
        try:
            if self.words.get("unpack"):
                with open(self.words["out"], "rb") as f:
                    plain = subprocess.run(self.words["unpack"].split(), stdin=f, check=True,
                                           stdout=subprocess.PIPE).stdout
                found = hashlib.sha1(plain).digest()
            else:
                with gzip.open(self.words["out"]) as f:
                    found = hashlib.file_digest(f, "sha1").digest()
        except (OSError, EOFError, subprocess.CalledProcessError) as error:
            return str(error)
        with open(self.words["text"], "rb") as f:
            return "" if found == hashlib.file_digest(f, "sha1").digest() else "another text"

    # The ways to run a case; each gives the measured figures, perhaps with self.wrong, or raises.

    def load(self):
        """A generator at both ends of the relay, or at one if there is a file at the other."""
        workload, before = self.workload, 0.0
        if workload.listen:
            self.start_relay()
            self.wait_ready()
            before = self.cpu()
            self.start_generator(self.generate)
            self.generator.go()
        else:
            self.load_started()
        result = self.generator.result()
        if workload.exits:
            self.relay.wait(READY_SECONDS)
        else:
            time.sleep(SETTLE)
        cpu = self.cpu() - before
        self.wrong = result["fault"] or (workload.check and getattr(self, workload.check)()) or ""
        if not self.wrong and result.get("answer_fault"):
            self.wrong = HALF_CLOSE
        return workload.measure(result, cpu, self.words)

    def memory(self):
        """What the relay's processes have grown by for each connection held open."""
        self.start_relay()
        self.wait_ready()
        self.start_generator(self.generate)
        before = self.relay.pss()  # with the generator there, that shares libraries
        self.generator.go()
        count = self.generator.result()["held"]
        return {"kib": (self.relay.pss() - before) / count}

    def startup(self):
        done = subprocess.run(
            self.argv("@tools@/spawn @size@ " + self.contender.command),
            env=self.bench.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
        result = json.loads(done.stdout or '{"fault": "did not run"}')
        self.wrong = result.pop("fault")
        return result
