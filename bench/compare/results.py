"""The results: one JSON file, rewritten after every round, and the tables and the chart made from it."""
import glob, json, os, re, subprocess, time

import chart, machine

SAME = ("processors", "memory", "kernel", "jdk", "gcc", "commit", "versions", "effort")


class Results:
    def __init__(self, path, command, effort, fresh):
        self.path = path.removesuffix(".json")
        self.data = {"command": command, "began": time.strftime("%Y-%m-%d %H:%M:%S %z"), **machine.description(), "versions": versions(),
                     "effort": vars(effort), "left_out": {}, "tables": []}
        if not fresh and os.path.exists(self.path + ".json"):
            with open(self.path + ".json") as before:
                old = json.load(before)
            other = [key for key in SAME if old.get(key) != self.data[key]]
            if other:
                raise SystemExit(f"{self.path}.json holds results with a different {', '.join(other)}: use --fresh to start again, or another --out")
            self.data = old

    def is_complete(self, shape):
        return any(table["shape"] == shape.name and table["complete"] for table in self.data["tables"])

    def save(self, record):
        tables = [table for table in self.data["tables"] if table["shape"] != record["shape"]]
        self.data["tables"] = [*tables, record]
        self.data["ended"] = time.strftime("%Y-%m-%d %H:%M:%S %z")
        for name, text in ((".json", json.dumps(self.data, indent=1)), (".md", self.markdown()), (".svg", chart.draw(self.data))):
            if text is None:
                continue
            with open(self.path + name + ".new", "w") as out:
                out.write(text + "\n")
            os.replace(self.path + name + ".new", self.path + name)

    def markdown(self):
        head = [f"`{self.data['command']}`", "", where(self.data), ""]
        return "\n".join(head + [line for table in self.data["tables"] for line in (*table_lines(table), "")])


def versions():
    found = {}
    for jar in glob.glob(os.path.join(machine.HERE, "target/peers/*.jar")):
        match = re.match(r"(netty-transport|vertx-core)-(\d[\w.]*)\.jar$", os.path.basename(jar))
        if match:
            found[{"netty-transport": "Netty", "vertx-core": "Vert.x"}[match.group(1)]] = match.group(2).removesuffix(".Final")
    for library in ("libuv", "liburing"):
        try:
            out = subprocess.run(["pkg-config", "--modversion", library], capture_output=True, text=True)
            if out.returncode == 0:
                found[library] = out.stdout.strip()
        except FileNotFoundError:
            pass
    return dict(sorted(found.items()))


def where(data):
    effort = data["effort"]
    return (f"{data['processors']}, {data['memory']}, {data['kernel']}, JDK {data['jdk']}, gcc {data['gcc']}, "
            + ", ".join(f"{name} {version}" for name, version in data["versions"].items())
            + f"; Trivet {data['commit']}; {data['began']}; medians of {effort['rounds']} rounds of {effort['seconds']:g} s")


COLUMNS = {  # heading: key, format
    "messages": {"cpu, µs per message": ("server_cpu_us_per_message", ",.3f"), "× reference": ("ratio", ".2f"),
                 "messages/s": ("messages_per_s", ",.0f"), "p50 µs": ("p50_us", ",.0f"), "p99 µs": ("p99_us", ",.0f"),
                 "p99.9 µs": ("p999_us", ",.0f"), "max µs": ("max_us", ",.0f"), "server busy": ("server_busy", ".0%")},
    "idle": {"heap, bytes": ("heap_bytes", ",.0f"), "resident, bytes": ("resident_bytes", ",.0f")},
    "start": {"ms": ("start_ms", ",.0f"), "× reference": ("ratio", ".2f")}}


def table_lines(table):
    columns = COLUMNS.get(table["kind"], COLUMNS["messages"])
    lines = [f"### {table['title']}" + ("" if table["complete"] else " (incomplete)"), ""]
    lines += rows(table, "median", columns, allocated=table["kind"] not in COLUMNS)
    if table["rate"]:
        lines += ["", f"At a fixed rate of {table['rate']:,} messages per second; latency counts from the time a message was due:", ""]
        lines += rows(table, "rated_median", columns, allocated=False)
    if table["left_out"]:
        lines += ["", "Skipped: " + "; ".join(f"{label} ({why})" for label, why in table["left_out"].items()) + "."]
    return lines


def rows(table, kind, columns, allocated):
    headings = ["peer", *columns, *(["allocated, B per message"] if allocated else [])]
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" + "---:|" * (len(headings) - 1)]
    for label, peer in table["peers"].items():
        if kind not in peer:
            continue
        cells = [text(peer[kind].get(key), form) for key, form in columns.values()]
        if allocated:
            cells.append(text(peer.get("allocated_per_message"), ",.1f"))
        lines.append(f"| {label.replace(':', ', ')} | " + " | ".join(cells) + " |")
    return lines


def text(value, form):
    return "" if value is None else format(value, form)


def plain(table):
    """Formats a table for a terminal."""
    lines = table_lines(table)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else [line] for line in lines]
    widths = {}
    for row in cells:
        if len(row) > 1:
            for i, cell in enumerate(row):
                widths[i] = max(widths.get(i, 0), 0 if set(cell) <= set("-:") else len(cell))
    return "\n".join(row[0].removeprefix("### ") if len(row) == 1 else
                     row[0].ljust(widths[0]) + "".join("  " + cell.rjust(widths[i]) for i, cell in enumerate(row) if i)
                     for row in cells if not (len(row) > 1 and set(row[0]) <= set("-:") and row[0]))
