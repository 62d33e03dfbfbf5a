# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tools.preview.draw FOLDER`: draw the answers in the folder, one HTML page for each dashboard."""

from __future__ import annotations

import html
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from tools.preview.frames import Series, bounds, color_of, errors, lines, rows, series, shortened, state_of, text

Object = dict[str, Any]

# Okabe and Ito's colours, then other dash patterns of them.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
DASHES = ("solid", "dashed", "dotted", "dashdot")
COLUMN, ROW = 0.62, 0.38  # inches of a grid cell
PHONE = 6  # columns: 357 pixels
FONT = 8  # points
SHOWN_LINES, SHOWN_ROWS, SHOWN_LEGENDS, SHOWN_BOUNDS = 25, 12, 6, 10
NAME = {True: 24, False: 34}
"""How much of a name there is room for, on a phone and else."""
STYLE = """
body{font:14px sans-serif;background:#f4f5f5;color:#24292e;margin:12px}
main{display:grid;grid-template-columns:repeat(24,1fr);gap:8px}
section{background:#fff;border:1px solid #d8dde3;border-radius:3px;padding:6px;overflow-x:auto;min-width:0}
h2{grid-column:1/-1;font-size:16px;margin:10px 0 0} h3{font-size:13px;margin:0 0 4px} svg{width:100%;height:auto}
p.value{font-size:30px;text-align:center;margin:12px 0}
p.value small{display:block;font-size:13px} p.more,p.none{color:#6a737d;text-align:center;margin-top:30px}
p.wrong{color:#D55E00} table{border-collapse:collapse;font-size:12px;width:100%} td,th{text-align:left;padding:2px 6px;
border-bottom:1px solid #eee;overflow-wrap:break-word} pre{font-size:11px;white-space:pre-wrap;
overflow-wrap:anywhere;margin:0}
div.narrow{display:none}
@media(max-width:768px){main{display:block} section{margin-bottom:8px} div.wide{display:none} div.narrow{display:block}}
"""


def page(answered: Object) -> str:
    """A whole dashboard; on a narrow screen one panel below the other, as in Grafana."""
    model = answered["model"]
    parts = [f"<p class=wrong>{html.escape(problem)}</p>" for problem in answered["problems"]]
    parts += [block(panel, answered["results"].get(str(panel["id"]), {})) for panel in model["panels"]]
    head = f"<meta name=viewport content='width=device-width'><title>{html.escape(model['title'])}</title>"
    title = f"<h1>{html.escape(model['title'])}</h1><p>{html.escape(model['description'])}</p>"
    body = f"{title}<main>{''.join(parts)}</main>"
    return f"<!doctype html><meta charset=utf-8>{head}<style>{STYLE}</style>{body}\n"


def block(panel: Object, results: Object) -> str:
    if panel["type"] == "row":
        return f"<h2>{html.escape(panel['title'])}</h2>"
    wrong = "".join(f"<p class=wrong>{html.escape(error)}</p>" for error in errors(results))
    inside = wrong or shown(panel, results) or f"<p class=none>{html.escape(defaults(panel)['noValue'])}</p>"
    place = f"style='grid-column:span {panel['gridPos']['w']}' title='{html.escape(panel['description'])}'"
    return f"<section {place}><h3>{html.escape(panel['title'])}</h3>{inside}</section>"


def defaults(panel: Object) -> Object:
    found: Object = panel["fieldConfig"]["defaults"]
    return found


def shown(panel: Object, results: Object) -> str:
    """The panel's inside; empty where there is nothing to show."""
    kind = panel["type"]
    if kind == "logs":
        found = lines(results)[:SHOWN_LINES]
        return f"<pre>{html.escape(chr(10).join(found))}</pre>" if found else ""
    if kind == "table":
        head, body = rows(panel, results)
        return table(head, body[:SHOWN_ROWS]) + more(len(body) - SHOWN_ROWS, "rows") if body else ""
    drawn = [one for one in series(results) if one.last is not None]
    if not drawn:
        return ""
    if kind == "stat":
        return "".join(stat(one, panel, is_alone=len(drawn) == 1) for one in drawn)
    draw = {"timeseries": time_series, "heatmap": heatmap, "bargauge": bars}[kind]
    on_phone = panel | {"gridPos": panel["gridPos"] | {"w": PHONE}}
    # text in a picture shrinks with it: a phone gets a picture of its own
    return f"<div class=wide>{draw(panel, drawn)}</div><div class=narrow>{draw(on_phone, drawn)}</div>"


def more(count: int, what: str) -> str:
    return f"<p class=more>and {count} more {what}</p>" if count > 0 else ""


def table(head: list[str], body: list[list[str]]) -> str:
    def line(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in body)}</table>"


def stat(one: Series, panel: Object, *, is_alone: bool) -> str:
    """One of several has its name beside it."""
    own = defaults(panel)
    value = state_of(one.last, own.get("mappings", [])) or text(one.last, own["unit"])
    color = color_of(one.last, own["thresholds"]["steps"])
    name = "" if is_alone else f"<small>{html.escape(one.name)}</small>"
    return f"<p class=value style='color:{color}'>{html.escape(value)}{name}</p>"


def time_series(panel: Object, drawn: list[Series]) -> str:
    figure, axes = canvas(panel)
    own = defaults(panel)
    fixed = {one["matcher"]["options"]: one["properties"][0]["value"]["fixedColor"]
             for one in panel["fieldConfig"]["overrides"]}  # fmt: skip
    spare = [color for color in COLORS if color not in fixed.values()] or COLORS
    colors = [fixed.get(one.name, spare[place % len(spare)]) for place, one in enumerate(drawn)]
    if own["custom"]["stacking"]["mode"] == "normal":
        times = sorted({at for one in drawn for at in one.times})
        columns = [[dict(zip(one.times, one.values, strict=True)).get(at) or 0 for at in times] for one in drawn]
        when = [datetime.fromtimestamp(at / 1000, UTC) for at in times]
        axes.stackplot(when, columns, colors=colors, labels=[one.name for one in drawn], alpha=0.7)
    else:
        for place, (one, color) in enumerate(zip(drawn, colors, strict=True)):
            dash = DASHES[place // len(COLORS) % len(DASHES)]
            values = [float("nan") if value is None else value for value in one.values]
            axes.plot(timestamps(one), values, color=color, linestyle=dash, linewidth=1.4, label=one.name)
    if own["custom"]["thresholdsStyle"]["mode"] != "off":
        for step in own["thresholds"]["steps"][1:]:
            axes.axhline(step["value"], color=step["color"], linestyle="dashed", linewidth=0.8)
    low, high = axes.get_ylim()
    axes.set_ylim(own.get("min", low), own.get("max", max(high, 1e-9)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text(value, own["unit"])))
    axes.xaxis.set_major_locator(AutoDateLocator(maxticks=5 if is_phone(panel) else 10))
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))
    legend(panel, figure, axes)
    return svg(figure)


def legend(panel: Object, figure: Figure, axes: Axes) -> None:
    """Below the curves, in as many lines as it takes; the room on the left is for numbers with their unit."""
    handles, names = axes.get_legend_handles_labels()
    labels = [shortened(name, NAME[is_phone(panel)]) for name in names[:SHOWN_LEGENDS]]
    if len(names) > SHOWN_LEGENDS:
        labels[-1] = f"{labels[-1]}  (and {len(names) - SHOWN_LEGENDS} more)"
    columns = max(panel["gridPos"]["w"] // 6, 1) if max(map(len, labels)) > 12 else 3
    rows_of = -(-len(labels) // columns)
    width, height = figure.get_size_inches()
    figure.subplots_adjust(left=0.8 / width, right=0.98, top=0.96, bottom=min((0.35 + 0.17 * rows_of) / height, 0.6))
    figure.legend(handles[:SHOWN_LEGENDS], labels, loc="lower left", ncols=columns, frameon=False, fontsize=FONT)


def is_phone(panel: Object) -> bool:
    return bool(panel["gridPos"]["w"] <= PHONE)


def timestamps(one: Series) -> list[datetime]:
    return [datetime.fromtimestamp(at / 1000, UTC) for at in one.times]


def heatmap(panel: Object, drawn: list[Series]) -> str:
    """How many fell between two bounds, by time."""
    figure, axes = canvas(panel)
    ordered = bounds(drawn)
    times = sorted({at for one in drawn for at in one.times})
    cumulated = [
        [dict(zip(one.times, one.values, strict=True)).get(at) or 0 for at in times] for one in ordered.values()
    ]
    below = [[0.0] * len(times), *cumulated[:-1]]
    cells = [[max(up - down, 0) or float("nan") for up, down in zip(*pair, strict=True)]
             for pair in zip(cumulated, below, strict=True)]  # fmt: skip
    image = axes.imshow(cells, aspect="auto", origin="lower", cmap="viridis", interpolation="none")
    figure.colorbar(image, ax=axes, pad=0.01).ax.tick_params(labelsize=FONT)
    labels = ["∞" if bound == float("inf") else text(bound, defaults(panel)["unit"]) for bound in ordered]
    apart = -(-len(labels) // SHOWN_BOUNDS)
    axes.set_yticks(range(0, len(labels), apart), labels[::apart])
    places = range(0, len(times), max(len(times) // (4 if is_phone(panel) else 8), 1))
    axes.set_xticks(list(places), [f"{datetime.fromtimestamp(times[place] / 1000, UTC):%H:%M}" for place in places])
    return svg(figure)


def bars(panel: Object, drawn: list[Series]) -> str:
    figure, axes = canvas(panel)
    own = defaults(panel)
    ordered = sorted(drawn, key=lambda one: one.last or 0)
    values = [one.last or 0 for one in ordered]
    colors = [color_of(value, own["thresholds"]["steps"]) for value in values]
    axes.barh(range(len(ordered)), values, color=colors)
    axes.set_yticks(range(len(ordered)), [shortened(one.name, NAME[is_phone(panel)]) for one in ordered])
    for place, value in enumerate(values):
        axes.text(max(value, 0), place, f" {text(value, own['unit'])}", va="center", fontsize=FONT, clip_on=False)
    axes.xaxis.set_visible(False)
    low, high = own["min"], own.get("max", max(*values, 1e-9))
    axes.set_xlim(low, high + 0.3 * (high - low))  # room for the numbers
    return svg(figure)


def canvas(panel: Object) -> tuple[Figure, Axes]:
    place, is_curve = panel["gridPos"], panel["type"] == "timeseries"
    figure = Figure(figsize=(place["w"] * COLUMN, place["h"] * ROW), layout=None if is_curve else "constrained")
    axes = figure.add_subplot()
    axes.tick_params(labelsize=FONT)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def svg(figure: Figure) -> str:
    with io.StringIO() as out:
        figure.savefig(out, format="svg")
        return out.getvalue().partition("<svg")[2].join(["<svg", ""])


def main() -> int:
    mpl.rcParams["svg.fonttype"] = "none"  # text stays text
    found = sorted(Path(sys.argv[1]).glob("*.json"))
    for path in found:
        path.with_suffix(".html").write_text(page(json.loads(path.read_text())))
        print(path.with_suffix(".html"))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
