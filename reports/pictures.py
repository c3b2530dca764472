"""What a chart shows -> a picture (PNG), as the browser draws it: the first series filled, the second hatched.

In: a chart of `reports.sections`, its numbers as they are read (`shown`). Out: bytes. Nothing is touched or raised.
Matplotlib is large: this is imported by the program `reports.paper` alone. Names and domains are strangers' text, and
Matplotlib takes what stands between two dollars for a formula: here it is text like any other.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS: Final = ("#0b5cad", "#a34a00")  # as in static/css/reports.css
TEXT, LINE = "#343a40", "#dee2e6"
WIDTH: Final = 7.0  # inches
SHARP: Final = 150  # dots to the inch
LONGEST: Final = 32  # characters of a label
TICKS: Final = 12  # labels beside each other
STYLE: Final[Any] = {"text.parse_math": False, "font.family": "DejaVu Sans", "font.size": 9, "hatch.linewidth": 2}


def picture(chart: dict[str, Any]) -> bytes:
    """The chart as PNG, 1050 dots wide."""
    with rc_context({**STYLE, "text.color": TEXT, "xtick.color": TEXT, "ytick.color": TEXT}):
        many, series = len(chart["labels"]), chart["series"]
        tall = many * 0.2 * (len(series) + 0.5) + 0.8 if chart["lying"] else 2.6
        figure = Figure(figsize=(WIDTH, tall), dpi=SHARP, layout="constrained")
        axes = figure.add_subplot()
        for index, one in enumerate(series):
            draw(axes, index, len(series), one, lying=chart["lying"])
        name_bars(axes, [short(label) for label in chart["labels"]], lying=chart["lying"])
        if len(series) > 1:
            figure.legend(loc="outside upper left", ncols=len(series), frameon=False)
        file = BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def draw(axes: Axes, index: int, of: int, one: dict[str, Any], *, lying: bool) -> None:
    """The bars of a series. Numbers stand at each that lies, else at the tallest alone."""
    thick = 0.8 / of
    places = [at + (index - (of - 1) / 2) * thick for at in range(len(one["values"]))]
    look: dict[str, Any] = {"color": COLOURS[0]}
    if index:
        look = {"facecolor": "white", "edgecolor": COLOURS[1], "hatch": "////", "linewidth": 1}
    bars = (axes.barh if lying else axes.bar)(places, one["values"], thick * 0.92, label=one["name"], **look)
    axes.bar_label(bars, said(one, every=lying), padding=3, fontsize=8, fontweight="bold")


def said(one: dict[str, Any], *, every: bool) -> list[str]:
    """The numbers that stand at the bars, nothing where none does."""
    values: Sequence[int] = one["values"]
    tallest = max(range(len(values)), key=lambda at: (values[at], at), default=-1)
    shown = zip(range(len(values)), values, one["shown"], strict=True)
    return [text if value and (every or at == tallest) else "" for at, value, text in shown]


def name_bars(axes: Axes, labels: list[str], *, lying: bool) -> None:
    """What each bar is; beside each other only as many as there is room for."""
    for side in ("top", "right", "left" if lying else "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom" if lying else "left"].set_visible(False)
    axes.set_axisbelow(True)
    axes.margins(x=0.08 if lying else 0.01, y=0.02 if lying else 0.12)
    axes.grid(axis="x" if lying else "y", color=LINE)
    axes.locator_params(axis="x" if lying else "y", nbins=5, integer=True)
    axes.tick_params(length=0)
    step = 1 if lying else -(-len(labels) // TICKS)
    places = range(0, len(labels), step or 1)
    if lying:
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
    else:
        axes.set_xticks(places, labels[:: step or 1])


def short(label: str) -> str:
    """A label, shortened in the middle."""
    return label if len(label) <= LONGEST else f"{label[: LONGEST // 2]}…{label[1 - LONGEST // 2 :]}"
