"""The peers: how each is started, why one may be unavailable, and its process."""
import os, resource, shlex, signal, socket, subprocess, sys, tempfile, time

import machine

SERVER_PROCESSOR, LOAD_PROCESSOR = 0, 1
# The same options for all JVMs: a heap whose size leaves room for the direct buffers of 1 GiB in flight. Netty gets the options it asks for.
JVM_OPTIONS = ["-XX:+UseSerialGC", "-Xmx4g"]
NETTY_OPTIONS = ["--sun-misc-unsafe-memory-access=allow", "-Dio.netty.noUnsafe=false"]
JAVA_PEERS = {"vertx": ("VertxPeer", NETTY_OPTIONS), "nio": ("SelectorPeer", []), "virtual-threads": ("VirtualThreadPeer", [])}
C_PEERS = {"c-epoll": ("epoll", []), "c-uring": ("uring", ["-luring"]), "libuv": ("libuv", ["-luv"])}
AOT = "+aot"  # a JVM that starts from an ahead-of-time cache of loaded and linked classes (JEP 483, 514)
PACKAGES = {"-luring": "liburing-dev", "-luv": "libuv1-dev"}


class Unavailable(Exception):
    """A peer cannot be measured; the message says why."""


class Peers:
    """The peers of one run by name, including those that a user adds as commands."""

    def __init__(self, commands):
        self.commands = commands  # name -> command line with {port}
        out = subprocess.run(machine.java("io.trivet.bench.TrivetPeer", "engines"), capture_output=True, text=True, timeout=60)
        if out.returncode:
            sys.exit("listing the engines of Trivet failed: " + out.stderr)
        self.engines = {name: (available == "true", remark) for name, available, remark in
                        (line.split("\t", 2) for line in out.stdout.splitlines())}

    def command(self, label, service):
        """Returns the command line of a peer that offers a service, with {port}. Raises Unavailable if there is none."""
        name = label.partition(":")[0]
        if name.endswith(AOT):
            return with_aot_cache(name, self.command(name.removesuffix(AOT), service))
        if name in self.commands:
            return shlex.split(self.commands[name])
        if name in C_PEERS:
            program, libraries = C_PEERS[name]
            try:
                return [machine.c_program(program, *libraries), "{port}"] + ([service] if name == "c-epoll" else [])
            except RuntimeError as e:
                raise Unavailable(f"{e}; apt-get install {PACKAGES[libraries[0]]}" if libraries and "No such file" in str(e) else str(e))
        if name in JAVA_PEERS:
            main, options = JAVA_PEERS[name]
            return java_peer(main, options, service)
        kind, _, variant = name.partition("-")
        if kind in ("trivet", "sessions"):
            available, remark = self.engines.get(variant, (False, "unknown engine of Trivet"))
            if not available:
                raise Unavailable(remark)
            return java_peer("TrivetPeer", [], service, variant, *(["sessions"] if kind == "sessions" else []))
        if kind == "netty" and variant in ("nio", "epoll", "uring"):
            return java_peer("NettyPeer", NETTY_OPTIONS, service, variant)
        raise Unavailable("unknown peer")


def java_peer(main, options, *arguments):
    command = machine.java(*JVM_OPTIONS, *options, "io.trivet.bench." + main, "{port}", *arguments)
    return command


def with_aot_cache(name, command):
    """Returns the command of the same JVM with an ahead-of-time cache, which a training run writes when it exits after one message."""
    cache = os.path.join(machine.HERE, "target/aot", name + ".aot")
    java, *rest = command
    if not os.path.exists(cache) or os.path.getmtime(cache) < max(map(os.path.getmtime, machine.jars())):
        os.makedirs(os.path.dirname(cache), exist_ok=True)
        training = Process(name, [java, "-XX:AOTCacheOutput=" + cache, *rest])
        try:
            training.await_answer()
            training.process.terminate()
            training.process.wait(120)
            if not os.path.exists(cache):
                raise Unavailable(training.last_words() or "its JVM wrote no cache")
        except subprocess.TimeoutExpired:
            raise Unavailable("its JVM did not write the cache within 120 s")
        finally:
            training.end()
    return [java, "-XX:AOTCache=" + cache, *rest]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """A peer that serves, pinned to one processor or to several."""

    def __init__(self, label, command, processors=SERVER_PROCESSOR):
        self.label, self.port = label, free_port()
        self.is_java = command[0].endswith("java")
        self.log = tempfile.TemporaryFile("w+")
        self.start = time.monotonic()
        self.process = subprocess.Popen(machine.pinned(processors, [part.replace("{port}", str(self.port)) for part in command]),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, start_new_session=True)
        self.pid = self.process.pid

    def await_answer(self, seconds=60):
        """Waits until the peer has echoed one message; returns the seconds since its start."""
        while time.monotonic() - self.start < seconds:
            if self.process.poll() is not None:
                raise Unavailable(self.last_words() or f"it exited with {self.process.returncode}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                    s.sendall(b"hello\n")
                    if s.recv(64):
                        self.pid = self.listening_process()
                        return time.monotonic() - self.start
            except ConnectionError:
                time.sleep(0.0005)
        raise Unavailable(f"no answer within {seconds} s")

    def listening_process(self):
        """Returns the id of the process that listens: a launcher may have started another process."""
        out = subprocess.run(["ss", "-Hltnp", f"sport = :{self.port}"], capture_output=True, text=True).stdout
        return int(out.split("pid=")[1].split(",")[0]) if "pid=" in out else self.process.pid

    def ask(self, question):
        """Returns the answer of a Java peer's probe; None for other peers."""
        if not self.is_java:
            return None
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return int(answer) if answer.strip() else None

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))

    def last_words(self):
        self.log.seek(0)
        lines = [line.strip() for line in self.log.read()[-4000:].splitlines() if line.strip()]
        return next((line for line in lines if "Exception" in line or "Error" in line), lines[-1] if lines else "")[:300]

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.log):
            try:
                stream.close()
            except BrokenPipeError:
                pass


def raise_descriptor_limit():
    """Raises the limit of descriptors to this user's maximum, for servers and clients; returns it."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    return limit
