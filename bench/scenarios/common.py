"""Runs a server and its clients as processes, observes them from outside, and prints each figure with its goal."""
import os, platform, re, select, shutil, signal, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
START_SECONDS = 300  # on a machine that is busy with something else
median = statistics.median


class Failed(Exception):
    """The server or a client did not behave as expected."""


class Bench:
    """The context of a scenario: its folder, how thorough to be, and the report of figures. Ends every process it started."""

    def __init__(self, quick, hour):
        self.quick, self.hour = quick, hour
        self.folder = tempfile.mkdtemp(prefix="trivet-scenarios-")
        self.processes = []
        self.failures = 0
        self.started = 0
        self.scenario = ""
        self.client_program = os.path.join(self.folder, "client")
        subprocess.run(["gcc", "-O2", "-Wall", "-o", self.client_program, os.path.join(HERE, "client.c")], check=True)

    def figure(self, what, value, goal, ok=None):
        """Prints one line. ok: None for a figure that is only reported, such as a timing; False fails the run."""
        verdict = "      " if ok is None else "ok    " if ok else "FAILED"
        self.failures += ok is False
        print(f"{verdict} {self.scenario:<13} {what}: {value}   (goal: {goal})", flush=True)

    def expect(self, condition, what):
        if not condition:
            raise Failed(what)

    def server(self, *options, **more):
        return Server(self, options, **more)

    def talk(self, server, n, **options):
        return Client(self, "talk", server.port, n, options)

    def client(self, mode, server, n, **options):
        return Client(self, mode, server.port, n, options)

    def tls_client(self, mode, server, n, prefix=(), **options):
        """Starts a process of tls_client.c."""
        program = os.path.join(self.folder, "tls_client")
        if not os.path.exists(program):
            subprocess.run(["gcc", "-O2", "-Wall", "-o", program, os.path.join(HERE, "tls_client.c"), "-lssl", "-lcrypto"], check=True)
        return Client(self, mode, server.port, n, options, [*prefix, program])

    def certificate(self, name, authority=None):
        """Makes a certificate for localhost, or an authority if none is given; returns the paths of the certificate and its key."""
        certificate, key = (os.path.join(self.folder, name + suffix) for suffix in (".pem", ".key"))
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                   "-keyout", key, "-out", certificate]
        if authority:
            command += ["-CA", authority[0], "-CAkey", authority[1], "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-addext", "basicConstraints=critical,CA:FALSE"]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return certificate, key

    def end(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
                process.wait()
        self.processes = []

    def close(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """A ./trivet serve process with lines framing on an ephemeral port, and its log."""

    def __init__(self, bench, options, prefix=(), java="-XX:+UseSerialGC -Xmx512m", framing="lines"):
        number = bench.started = bench.started + 1
        ready = os.path.join(bench.folder, f"ready{number}")
        self.log_path = os.path.join(bench.folder, f"log{number}")
        if os.path.exists(ready):
            os.remove(ready)
        self.java_options = java
        command = [*prefix, os.path.join(ROOT, "trivet"), "serve", "-p", "0", "-F", ready, "-f", framing, *options]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log_path, "w"),
                                        env=dict(os.environ, TRIVET_JAVA_OPTS=java))
        bench.processes.append(self.process)
        self.pid = self.process.pid  # the launcher and prlimit both replace themselves by the JVM (exec)
        deadline = time.monotonic() + START_SECONDS
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed("the server did not start: " + self.log().strip()[-500:])
            time.sleep(0.02)
        addresses = [line.rsplit(":", 1)[1] for line in open(ready).read().splitlines()]
        self.ports = [int(address) for address in addresses if address.isdigit()]
        self.port = self.ports[-1]

    def log(self):
        return open(self.log_path, errors="replace").read()

    def log_lines(self, text):
        return [line for line in self.log().splitlines() if text in line]

    def await_log(self, text, count, seconds):
        deadline = time.monotonic() + seconds
        while len(self.log_lines(text)) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        return len(self.log_lines(text))

    def is_alive(self):
        return self.process.poll() is None

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def await_descriptors(self, count, seconds):
        """Waits until at most count descriptors are open, or the time has passed; returns their number."""
        deadline = time.monotonic() + seconds
        while self.descriptors() > count and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.descriptors()

    def resident_mib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{self.pid}/status").read()).group(1)) / 1024

    def processor_nanos(self):
        """Returns the processor time of each thread, by its name and id."""
        nanos = {}
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                name = open(f"/proc/{self.pid}/task/{task}/comm").read().strip()
                nanos[name, task] = int(open(f"/proc/{self.pid}/task/{task}/schedstat").read().split()[0])
            except OSError:
                pass  # the thread has just exited
        return nanos

    def live_heap_kib(self):
        """Counts the live objects in one pause. GC.run and GC.heap_info are two, and all that is allocated between them would count."""
        total = re.search(r"^Total\s+\d+\s+(\d+)$", self.jcmd("GC.class_histogram"), re.M)
        if not total:
            raise Failed("unexpected histogram of jcmd")
        return int(total.group(1)) >> 10

    def buffers_mib(self):
        """Returns the size of direct buffers as accounted by the JVM, which must run with -XX:NativeMemoryTracking=summary."""
        out = self.jcmd("VM.native_memory", "summary", "scale=KB")
        other = re.search(r"Other \(reserved=\d+KB, committed=(\d+)KB", out)
        if not other:
            raise Failed("unexpected native memory report of jcmd: " + out[:200])
        return int(other.group(1)) / 1024

    def jcmd(self, *command):
        program = os.path.join(os.path.dirname(os.readlink(f"/proc/{self.pid}/exe")), "jcmd")
        return subprocess.run([program, str(self.pid), *command], capture_output=True, text=True, timeout=60).stdout

    def terminate(self, seconds=30):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


class Client:
    """A process of client.c or tls_client.c."""

    def __init__(self, bench, mode, port, n, options, program=None):
        command = [*(program or [bench.client_program]), mode, f"port={port}", f"n={n}", *(f"{key}={value}" for key, value in options.items())]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        bench.processes.append(self.process)
        self.n = n
        self.connected = None

    def ready(self, seconds=70):
        self.connected = self.answer(seconds)
        return self

    def say(self, command):
        if self.connected is None:
            self.ready()
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise Failed(f"a client did not answer within {seconds} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failed("a client exited unexpectedly")
        answer = {}
        for word in line.split():
            name, _, value = word.partition("=")
            try:
                answer[name] = float(value) if "." in value else int(value)
            except ValueError:
                answer[name] = value
        return answer

    def ask(self, command, seconds=60):
        self.say(command)
        return self.answer(seconds + 20)

    def close(self):
        self.say("close")
        self.process.wait(20)

    def kill(self):
        self.process.kill()
        self.process.wait()


def echo(client, text):
    """Sends a text on a socket, and receives it back. Raises EOFError or ValueError if it does not come back whole and unchanged."""
    client.sendall(text)
    answer = b""
    while len(answer) < len(text):
        part = client.recv(len(text) - len(answer))
        if not part:
            raise EOFError("the connection ended before the answer")
        answer += part
    if answer != text:
        raise ValueError(f"wrong answer {answer}")


def machine():
    model = re.search(r"model name\s*:\s*(.*)", open("/proc/cpuinfo").read())
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True).stdout.strip()
    version = subprocess.run([os.path.join(ROOT, "trivet"), "-V"], capture_output=True, text=True)
    if version.returncode != 0:
        sys.exit(version.stderr)
    java = re.search(r"^Java (\S+)", version.stdout, re.M).group(1)
    return (f"{os.cpu_count()} x {model.group(1) if model else platform.machine()}, Linux {platform.release()}, Java {java}, commit {commit}, "
            f"load {os.getloadavg()[0]:.1f}")


def strace(server, *options, seconds):
    """Runs strace on the server for some seconds, tracing or injecting errors; returns its output."""
    out = server.log_path + ".strace"
    if os.path.exists(out):
        os.remove(out)
    tracer = attach(server, out, *options)
    time.sleep(seconds)
    detach(tracer)
    return open(out).read()


def attach(server, out, *options):
    tracer = subprocess.Popen(["strace", "-f", "-p", str(server.pid), "-o", out, *options], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:  # strace reports when it is attached
        if select.select([tracer.stderr], [], [], 0.2)[0] and "attached" in tracer.stderr.readline():
            return tracer
        if tracer.poll() is not None:
            break
    raise Failed("strace cannot attach: check that ptrace is allowed (kernel.yama.ptrace_scope, container settings)")


def detach(tracer):
    if tracer.poll() is None:
        tracer.send_signal(signal.SIGINT)
    try:
        tracer.wait(10)
    except subprocess.TimeoutExpired:
        tracer.kill()
        tracer.wait()
    tracer.stderr.close()
