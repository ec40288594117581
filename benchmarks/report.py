"""Reports the results: a table for the terminal, and the figures and plots of `docs/topics/performance.md`."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from .scenarios import BARE, DIALECT, SCENARIOS, TUTORIAL, V1

DOCS = Path(__file__).resolve().parent.parent / "docs"
Results = dict[str, Any]
Found = dict[str, dict[str, Any]]

# Targets: minimum ratio to the tutorial's consumer, maximum cost, maximum ratio to the bare loop.
TARGETS: dict[str, tuple[float | None, float | None, float | None]] = {
    "1x100": (7, None, 2),
    "1x100-w20": (30, 0.44, None),
    "1x100-w20-postgres": (30, 0.44, None),
    "1x1000": (12, None, None),
    "1x1000-redis": (12, None, None),
    "1x1000-w20": (100, 0.27, None),
    "1x1000-w20-redis": (100, 0.27, None),
    "200x5": (8, None, None),
    "200x5-redis": (6, None, None),
}


def rounded(value: Any) -> Any:
    """Round to four digits; further digits are noise."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


def found_of(results: Results, name: str) -> Found | None:
    scenario = results["scenarios"].get(name)
    return None if scenario is None else scenario["found"]


def family(results: Results, *names: str) -> Iterable[tuple[str, str, Found]]:
    """Return name, title and results of the scenarios of a family, in their order."""
    for scenario in SCENARIOS:
        if scenario.family in names and (found := found_of(results, scenario.name)) is not None:
            yield scenario.name, scenario.title, found


def cost(found: Found, name: str) -> float | None:
    value = found.get(name, {}).get("cpu_per_100k")
    return None if value is None else float(value)


def figure(value: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{unit}"


def times(value: float | None) -> str:
    return "" if value is None else f"{figure(value)} ×"


# Terminal -----------------------------------------------------------------------------------------------


def text(results: Results) -> str:
    rows = [["", "v1", "dialect", "tutorial", "bare", "tutorial : v1", "v1 : bare", "promised", ""]]
    for name, _, found in family(results, "chat"):
        rows.append([name, *_costs(found), *_ratios(found), *_verdict(name, found)])
    rows += [[""]]
    for name, title, found in family(results, "latency", "idle", "storm", "posting", "history", "workers"):
        rows.append([name, title])
        for who, figures in found.items():
            rows.append(["", who, *_summary(figures)])
    widths = [
        max((len(row[column]) for row in rows if len(row) > 3 and column < len(row)), default=0)
        for column in range(9)
    ]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    ]
    lines += [
        f"NOT OK: {name}, {who}: {figures['trouble']}"
        for name, scenario in results["scenarios"].items()
        for who, figures in scenario["found"].items()
        if not figures["ok"]
    ]
    return "\n".join(lines)


def _costs(found: Found) -> list[str]:
    return [figure(cost(found, contender.name)) for contender in (V1, DIALECT, TUTORIAL, BARE)]


def _ratios(found: Found) -> list[str]:
    bare = found.get(BARE.name, {}).get("times_v1")
    return [times(found.get(TUTORIAL.name, {}).get("times_v1")), times(1 / bare if bare else None)]


def _verdict(name: str, found: Found) -> list[str]:
    if name not in TARGETS:
        return ["", ""]
    least, most, most_to_bare = TARGETS[name]
    tutorial, bare = found.get(TUTORIAL.name, {}).get("times_v1"), found.get(BARE.name, {}).get("times_v1")
    ours = cost(found, V1.name)
    kept = [
        least is None or (tutorial or 0) >= least,
        most is None or (ours is not None and ours < most),
        most_to_bare is None or (bare is not None and 1 / bare <= most_to_bare),
    ]
    promised = [
        f">= {least} x" if least else "",
        f"< {most}" if most else "",
        f"<= {most_to_bare} x bare" if most_to_bare else "",
    ]
    return [", ".join(filter(None, promised)), "yes" if all(kept) else "NO"]


def _summary(figures: dict[str, Any]) -> list[str]:
    def value(name: str, unit: str) -> str:
        return f"{figure(figures[name])} {unit}" if name in figures else ""

    def quantiles(name: str) -> str:
        one = figures.get(name)
        return f"{name} p50 {figure(one['p50'])} p99 {figure(one['p99'])}" if one else ""

    parts = [
        value("cpu_per_100k", "s/100k"),
        value("deliveries_per_second", "deliveries/s") if figures.get("deliveries_per_second") else "",
        value("kib_per_socket", "KiB/socket"),
        value("history_reads", "history reads"),
        value("queries", "queries"),
        value("acks_per_second", "acks/s") if figures.get("acks_per_second") else "",
        value("cpu_us_per_post", "us/post"),
        value("cpu_us_per_page", "us/page"),
        value("cpu_us_per_message", "us/message"),
        quantiles("last_ms"),
        quantiles("ack_ms"),
        quantiles("caught_up_ms"),
    ]
    return [", ".join(filter(None, parts))]


# Documentation ------------------------------------------------------------------------------------------


def write(results: Results, output: Path | None) -> None:
    """Write tables and plots into the documentation or into a folder."""
    tables = (output or DOCS / "topics") / "performance.inc"
    plots = output or DOCS / "_static"
    for folder in (tables.parent, plots):
        folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "machine": _machine(results),
        "fan-out": _fan_out(results),
        "latency": _latency(results),
        "idle": _idle(results),
        "storm": _storm(results),
        "posting": _posting(results),
        "history": _history(results),
        "workers": _workers(results),
        "million": _million(results),
    }
    made = "<!-- Generated by `python -m benchmarks`; do not edit. -->\n"
    content = (f"<!-- begin {name} -->\n\n{part}\n\n<!-- end {name} -->\n" for name, part in parts.items())
    tables.write_text(made + "\n".join(content))
    (plots / "performance-contenders.svg").write_text(contenders_plot(results))
    (plots / "performance-members.svg").write_text(members_plot(results))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine(results: Results) -> str:
    machine, plan = results["machine"], results["plan"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    rounds = f"Medians of {plan['rounds']} rounds of {plan['seconds']:g} s."
    return (
        f"{machine['date']}, {machine['cores']} cores of an {machine['cpu']}, Linux {machine['kernel']}.\n"
        f"Python {machine['python']}, {packages}.\n{rounds}"
    )


def _fan_out(results: Results) -> str:
    head = [
        "",
        "`roomchat.v1`",
        "tutorial's dialect",
        "tutorial's consumer",
        "bare loop",
        "tutorial : v1",
        "v1 : bare",
    ]
    return table(
        head, ([title, *_costs(found), *_ratios(found)] for _, title, found in family(results, "chat"))
    )


def _latency(results: Results) -> str:
    rows = []
    for _, title, found in family(results, "latency"):
        for who, figures in found.items():
            first, last = figures.get("delivery_ms", {}), figures.get("last_ms", {})
            quantiles = (first.get("p50"), first.get("p99"), last.get("p50"), last.get("p99"))
            rows.append([f"{title}: {who}", *map(figure, quantiles)])
    return table(["ms", "anybody, median", "p99", "last member, median", "p99"], rows)


def _idle(results: Results) -> str:
    rows = [
        [who, figure(figures["kib_per_socket"]), figure(figures["open_cpu_ms"])]
        for _, _, found in family(results, "idle")
        for who, figures in found.items()
    ]
    return table(["", "KiB of a socket", "CPU ms to open and greet it"], rows)


def _storm(results: Results) -> str:
    rows = []
    for _, _, found in family(results, "storm"):
        for who, figures in found.items():
            caught = figures.get("caught_up_ms", {})
            seconds = [figure(caught[key] / 1e3 if key in caught else None) for key in ("p50", "max")]
            rows.append([who, *seconds, figure(figures["history_reads"]), figure(figures["queries"])])
    return table(["", "caught up, median (s)", "last client (s)", "history reads", "all queries"], rows)


def _posting(results: Results) -> str:
    rows = []
    for _, title, found in family(results, "posting"):
        for who, figures in found.items():
            ack = figures.get("ack_ms", {})
            rows.append(
                [
                    f"{title}, {who}",
                    figure(figures["acks_per_second"]),
                    figure(ack.get("p50")),
                    figure(ack.get("p99")),
                ]
                + [figure(figures["server_cpu"])]
            )
    return table(["", "stored per second", "ack, median (ms)", "p99 (ms)", "CPU of the server"], rows)


def _history(results: Results) -> str:
    rows = []
    for _, title, found in family(results, "history"):
        for who, figures in found.items():
            rows.append(
                [
                    f"{title.partition(', ')[2]}, {who}",
                    figure(figures["cpu_us_per_post"]),
                    figure(figures["cpu_us_per_page"]),
                ]
            )
    return table(["", "CPU µs a post", "CPU µs a page"], rows)


def _workers(results: Results) -> str:
    rows = []
    for name, title, found in family(results, "workers"):
        if name == "news":
            continue
        for who, figures in found.items():
            last = figures.get("last_ms", {})
            rows.append(
                [
                    f"{title}, {who}",
                    figure(figures.get("cpu_per_100k")),
                    figure(figures["deliveries_per_second"]),
                ]
                + [figure(last.get("p50")), figure(last.get("p99"))]
            )
    return table(
        ["", "CPU s per 100,000", "deliveries per second", "last member, median (ms)", "p99 (ms)"], rows
    )


SOCKETS, MEMBERS, SAYS_EVERY = 1_000_000, 50, 120
"""The site of the capacity plan: number of sockets, members of each room, and seconds between two messages of
a member."""


def _million(results: Results) -> str:
    """Estimate the resources for a million sockets from the measurements."""
    needed = [found_of(results, name) for name in ("200x5", "idle", "news", "storm")]
    if any(found is None for found in needed):
        return "(Not measured in this run.)"
    small, idle, news, _ = needed
    assert small is not None and idle is not None and news is not None
    posts = SOCKETS / SAYS_EVERY
    deliveries = posts * MEMBERS
    per_100k = cost(small, V1.name) or 0.0
    cores = deliveries / 1e5 * per_100k
    kib, open_ms = idle[V1.name]["kib_per_socket"], idle[V1.name]["open_cpu_ms"]
    foreign = news["another process"]["cpu_us_per_message"]
    processes = max(math.ceil(cores / 0.5), math.ceil(SOCKETS / 20_000))
    # A room of 50 whose members are distributed randomly is in almost that many processes.
    spread = processes * (1 - (1 - 1 / processes) ** MEMBERS)
    rows = [
        ["messages", f"{SOCKETS:,} ÷ {SAYS_EVERY} s", f"{posts:,.0f} a second"],
        ["deliveries", f"× {MEMBERS}", f"{deliveries:,.0f} a second"],
        [
            "CPU of the deliveries",
            f"× {figure(per_100k)} s per 100,000 (200 × 5, the most expensive measured)",
            f"{figure(cores)} cores",
        ],
        ["processes", "at most half a core busy, at most 20,000 sockets each", f"{processes}"],
        [
            "memory of the sockets",
            f"× {figure(kib)} KiB",
            f"{SOCKETS * kib / 2**20:,.1f} GiB, {SOCKETS / processes * kib / 1024:,.0f} MiB a process",
        ],
        [
            "messages posted in a process",
            f"{posts:,.0f} ÷ {processes}",
            f"{figure(posts / processes)} a second",
        ],
        [
            "messages from other processes, sockets distributed randomly",
            f"a room of {MEMBERS} is in {figure(spread)} processes; × {figure(foreign)} µs",
            f"{figure(posts * spread / processes * foreign / 1e6)} cores a process",
        ],
        ["messages from other processes, sockets of a room in one process", "a room is in one process", "0"],
        [
            "all clients reconnect",
            f"× {figure(open_ms)} ms",
            f"{SOCKETS / processes * open_ms / 1e3:,.0f} s of a core for every process",
        ],
    ]
    return table(["", "from", "makes"], rows)


# Plots ----------------------------------------------------------------------------------------------------------------

COLOURS = {V1.name: "#2f7ed8", DIALECT.name: "#8bbce9", TUTORIAL.name: "#d9822b", BARE.name: "#8a8a8a"}
GREY = "#808080"  # readable on light and on dark pages


def contenders_plot(results: Results) -> str:
    """Bars on a logarithmic axis: the cost of 100,000 deliveries for each contender."""
    groups = [(title, found) for _, title, found in family(results, "chat") if cost(found, V1.name)]
    values = [value for _, found in groups for name in COLOURS if (value := cost(found, name))]
    if not values:
        return svg(100, 20, [])
    left, width, bar = 300, 800, 9
    low, high = _decades(values)

    def across(value: float) -> float:
        return left + (width - left - 60) * (math.log10(value) - low) / (high - low)

    shapes, top = [], 42
    for number, name in enumerate(COLOURS):
        shapes += [f'<rect x="{left + number * 130}" y="8" width="10" height="10" fill="{COLOURS[name]}"/>']
        shapes += [_label(left + number * 130 + 14, 17, _short(name))]
    for title, found in groups:
        shown = [(name, value) for name in COLOURS if (value := cost(found, name))]
        shapes.append(_label(left - 8, top + bar * len(shown) / 2 + 4, title, "end"))
        for name, value in shown:
            shapes.append(
                f'<rect x="{left}" y="{top}" width="{across(value) - left:.1f}" height="{bar - 1}" fill="{COLOURS[name]}"/>'
            )
            shapes.append(_label(across(value) + 4, top + bar - 1.5, figure(value), size=8))
            top += bar
        top += 8
    shapes += _axis(
        low, high, lambda value: (across(value), 34, across(value), top), lambda value: (across(value), 32)
    )
    shapes.append(_label(left, top + 14, "CPU seconds of the server per 100,000 deliveries; less is better"))
    return svg(width, top + 22, shapes)


def members_plot(results: Results) -> str:
    """Lines on logarithmic axes: the cost of a delivery by the size of the room."""
    sizes = [10, 100, 1000, 5000]
    lines: list[tuple[str, str, str, list[tuple[int, float]]]] = []
    for suffix, dash, how in (("", "", "one in flight"), ("-w20", "5 3", "20 in flight")):
        for name in (V1.name, TUTORIAL.name, BARE.name):
            points = [
                (size, value)
                for size in sizes
                if (found := found_of(results, f"1x{size}{suffix}")) and (value := cost(found, name))
            ]
            if points:
                lines.append((f"{_short(name)}, {how}", COLOURS[name], dash, points))
    if not lines:
        return svg(100, 20, [])
    width, height, left, bottom = 760, 360, 50, 320
    low, high = _decades([value for *_, points in lines for _, value in points])

    def place(size: int, value: float) -> tuple[float, float]:
        x = left + (width - left - 210) * math.log10(size / 10) / math.log10(500)
        return x, bottom - (bottom - 20) * (math.log10(value) - low) / (high - low)

    end = width - 210
    shapes = _axis(
        low,
        high,
        lambda value: (left, place(10, value)[1], end, place(10, value)[1]),
        lambda value: (left - 6, place(10, value)[1] + 4),
        "end",
    )
    shapes += [_label(place(size, 1)[0], bottom + 16, f"{size:,}", "middle") for size in sizes]
    shapes.append(
        _label(left, bottom + 34, "members of the room; CPU seconds of the server per 100,000 deliveries")
    )
    taken: list[float] = []
    for title, colour, dash, points in lines:
        at = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        shapes.append(
            f'<polyline points="{at}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        x, y = place(*points[-1])
        while any(abs(y - other) < 12 for other in taken):
            y += 4
        taken.append(y)
        # The name of a line that ends early is placed above its end, because other lines continue beside it.
        early = points[-1][0] < sizes[-1]
        shapes.append(
            _label(x, y - 6, title, "end", colour=colour)
            if early
            else _label(x + 6, y + 4, title, colour=colour)
        )
    return svg(width, height, shapes)


def _short(name: str) -> str:
    return {
        V1.name: "roomchat.v1",
        DIALECT.name: "tutorial's dialect",
        TUTORIAL.name: "tutorial's consumer",
    }.get(name, name)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def _axis(
    low: int,
    high: int,
    line: Callable[[float], tuple[float, float, float, float]],
    place: Callable[[float], tuple[float, float]],
    anchor: str = "middle",
) -> list[str]:
    shapes = []
    for power in range(low, high + 1):
        x1, y1, x2, y2 = line(10.0**power)
        shapes.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GREY}" stroke-opacity="0.3"/>'
        )
        shapes.append(_label(*place(10.0**power), f"{10.0**power:g}", anchor))
    return shapes


def _label(
    x: float, y: float, content: str, anchor: str = "start", *, size: int = 11, colour: str = GREY
) -> str:
    escaped = content.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{escaped}</text>'


def svg(width: float, height: float, shapes: Sequence[str]) -> str:
    style = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif"'
    lines = "\n".join(shapes)
    return f'<svg {style} viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">\n{lines}\n</svg>\n'
