"""The machine that measurements run on: its JDK and C compiler, its description, and pinning to a processor."""
import glob, os, platform, re, shutil, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
JAVA_MIN = 25
MODULES = ["core", "nats"]  # on the class path, beside bench


def java_home():
    known = [os.environ.get("TRIVET_JAVA_HOME"), os.environ.get("JAVA_HOME")]
    if os.path.isdir("/usr/lib/jvm"):
        known += sorted(os.path.join("/usr/lib/jvm", d) for d in os.listdir("/usr/lib/jvm"))
    for home in filter(None, known):
        if int((java_version(home) or "0").split(".")[0].split("+")[0]) >= JAVA_MIN:
            return home
    sys.exit(f"no JDK {JAVA_MIN} found: install one, or set TRIVET_JAVA_HOME")


def java_version(home):
    try:
        with open(os.path.join(home, "release")) as release:
            return re.search(r'^JAVA_VERSION="?([0-9.+]+)', release.read(), re.M).group(1)
    except (OSError, AttributeError):
        return None


def java(*arguments):
    """Returns the command of a JVM with bench, core, nats and the peers' jars on its class path."""
    return [os.path.join(java_home(), "bin/java"), "--enable-native-access=ALL-UNNAMED", "-cp", ":".join(jars()), *arguments]


def jars():
    """Returns jars, not class folders: an ahead-of-time cache supports jars only."""
    own = [os.path.join(HERE, "target/trivet-bench-*.jar"), *(os.path.join(ROOT, f"{module}/target/trivet-{module}-*.jar") for module in MODULES)]
    return [jar for pattern in [*own, os.path.join(HERE, "target/peers/*.jar")] for jar in sorted(glob.glob(pattern))
            if not jar.endswith(("-sources.jar", "-javadoc.jar"))]


def c_program(name, *libraries):
    """Compiles src/main/native/NAME.c if it is newer than its program. Raises the compiler's first error as a RuntimeError."""
    binary = os.path.join(HERE, "target/native", name)
    source = os.path.join(HERE, "src/main/native", name + ".c")
    if not os.path.exists(binary) or os.path.getmtime(binary) < os.path.getmtime(source):
        os.makedirs(os.path.dirname(binary), exist_ok=True)
        try:
            result = subprocess.run(["gcc", "-O2", "-o", binary, source, *libraries], capture_output=True, text=True)
        except FileNotFoundError:
            raise RuntimeError("gcc not found: apt-get install gcc libc6-dev")
        if result.returncode:
            raise RuntimeError(next((line for line in result.stderr.splitlines() if "error" in line), result.stderr)[:200])
    return binary


def build():
    """Builds bench and the modules that it uses with Maven if a source is newer than the last build."""
    peers = os.path.join(HERE, "target/peers")
    stamp = os.path.join(peers, ".built")
    sources = [os.path.join(folder, name) for top in (*(f"{module}/src/main" for module in MODULES), "bench/src/main/java")
               for folder, _, names in os.walk(os.path.join(ROOT, top)) for name in names]
    sources += [os.path.join(ROOT, pom) for pom in ("pom.xml", "bench/pom.xml", *(f"{module}/pom.xml" for module in MODULES))]
    if os.path.exists(stamp) and os.path.getmtime(stamp) > max(map(os.path.getmtime, sources)):
        return
    shutil.rmtree(peers, ignore_errors=True)  # otherwise jars of an old version would remain beside the new ones
    print("building bench with Maven", file=sys.stderr, flush=True)
    result = subprocess.run(["mvn", "-B", "-q", "-Dquick=true", "-DskipTests", "-pl", "bench", "-am", "package"], cwd=ROOT,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode:
        sys.exit("the build failed:\n" + (result.stdout + result.stderr)[-3000:])
    open(stamp, "w").close()


def pinned(processor, command):
    return ["taskset", "-c", str(processor), *command]


def description():
    with open("/proc/cpuinfo") as cpuinfo:
        model = re.search(r"model name\s*:\s*(.*)", cpuinfo.read())
    with open("/proc/meminfo") as meminfo:
        memory = int(re.search(r"MemTotal:\s*(\d+)", meminfo.read()).group(1))
    gcc = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True).stdout.strip()
    return {"processors": f"{os.cpu_count()} x {model.group(1) if model else platform.machine()}", "memory": f"{memory / 2**20:.0f} GiB",
            "kernel": f"Linux {platform.release()}", "jdk": java_version(java_home()), "gcc": gcc, "commit": commit()}


def commit():
    return subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True).stdout.strip()
