"""Draws a chart of the cost per message of each peer, relative to the C epoll loop. Plain SVG, readable on white and on black."""
from xml.sax.saxutils import escape

PANEL, GAP, LABEL, BAR, TOP = 300, 24, 118, 15, 64
COLUMNS = 3
LONGEST = 8  # longer bars are cut and marked
WANTED = ["echo:50,64,1", "echo:1000,64,1", "echo:50,64,16", "echo:50,1024,1", "echo:50,16384,1", "echo:50,262144,1", "lines:50,32,1", "lines:50,32,64",
          "echo:15000,64,1"]
# Default colours are readable on white and on black; better ones apply where the viewer announces its colour scheme.
STYLE = """
  text { font: 11px system-ui, sans-serif; fill: #6e7781 } .title { font-size: 15px; font-weight: 600 } .panel { font-weight: 600 }
  .ours { fill: #17915f } .other { fill: #8c959f } .floor { stroke: #d1453b; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: light) { text { fill: #24292f } .small { fill: #57606a } }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .small { fill: #9ea7b3 } .other { fill: #6e7681 } }"""


def draw(data):
    """Returns the chart, or None if there is nothing to draw yet."""
    tables = sorted((t for t in data["tables"] if t["shape"] in WANTED and bars_of(t)), key=lambda t: WANTED.index(t["shape"]))
    if not tables:
        return None
    body, y = [], TOP
    for first in range(0, len(tables), COLUMNS):
        row = tables[first:first + COLUMNS]
        for column, table in enumerate(row):
            body += panel(table, column * (PANEL + GAP), y)
        y += 34 + BAR * max(len(bars_of(t)) for t in row) + GAP
    width = min(len(tables), COLUMNS) * (PANEL + GAP) - GAP
    width = max(width, 2 * PANEL)
    effort = data["effort"]
    head = [f'<text class="title" x="0" y="16">Server processor time per message, C epoll loop = 1 (shorter is better)</text>',
            f'<text class="small" x="0" y="34">{escape(", ".join([data["processors"], data["kernel"], "JDK " + data["jdk"]]))}; '
            f'{escape(", ".join(f"{n} {v}" for n, v in data["versions"].items()))}</text>',
            f'<text class="small" x="0" y="49">{escape(data["command"])}; Trivet {escape(data["commit"])}; '
            f'medians of {effort["rounds"]} rounds of {effort["seconds"]:g} s</text>']
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}" role="img">',
                      "<title>Server processor time per message, relative to an epoll loop in C</title>",
                      f"<style>{STYLE}</style>", *head, *body, "</svg>"])


def bars_of(table):
    return sorted(((label, peer["median"]["ratio"]) for label, peer in table["peers"].items()
                   if peer.get("median", {}).get("ratio") and not label.endswith(" again")), key=lambda bar: bar[1])


def panel(table, x, y):
    bars = bars_of(table)
    room = PANEL - LABEL - 52
    most = min(max(ratio for _, ratio in bars), LONGEST)
    lines = [f'<text class="panel" x="{x}" y="{y + 12}">{escape(short_title(table))}</text>']
    floor = x + LABEL + room / most
    for i, (label, ratio) in enumerate(bars):
        top = y + 22 + i * BAR
        length = room * min(ratio, most) / most
        kind = "ours" if label.startswith("trivet") else "other"
        lines += [f'<text x="{x + LABEL - 6}" y="{top + 10}" text-anchor="end">{escape(label.replace(":", ", "))}</text>',
                  f'<rect class="{kind}" x="{x + LABEL}" y="{top + 1}" width="{length:.1f}" height="{BAR - 4}"/>',
                  f'<text class="small" x="{x + LABEL + length + 4:.1f}" y="{top + 10}">{"» " if ratio > most else ""}{ratio:.2f}</text>']
    return [*lines, f'<line class="floor" x1="{floor:.1f}" x2="{floor:.1f}" y1="{y + 20}" y2="{y + 22 + len(bars) * BAR}"/>']


def short_title(table):
    size = table["size"]
    amount = f"{size >> 10} KiB" if size >= 1024 else f"{size} B"
    what = "Echo" if table["kind"] == "echo" else "Composed lines"
    return f"{what}, {amount}, {table['connections']:,} connections, depth {table['depth']}"
