"""The rows of a report's table. By the template alone, half a thousand cells take half of the page's time."""

from collections.abc import Iterator

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from reports.sections import Cell, Section

register = template.Library()


@register.simple_tag
def table_rows(section: Section, url: str) -> SafeString:
    """Each row; numbers lead to their rows below an address, and a narrow screen shows each head beside its number."""
    return joined(row(first, rest, url) for first, rest in section.labelled)


def row(first: Cell, rest: list[tuple[str, Cell]], url: str) -> SafeString:
    """What it is about, then its numbers."""
    face = "<bdi>{}</bdi>" if first.foreign else "{}"
    head = format_html(f'<th role="rowheader" scope="row">{face}</th>', first.shown)
    return format_html('<tr role="row">{}{}</tr>', head, joined(number(first, name, cell, url) for name, cell in rest))


def number(first: Cell, head: str, cell: Cell, url: str) -> SafeString:
    """One cell, which says by itself what it counts where it is a link."""
    style = f"text-end shade-{cell.shade}" if cell.shade else "text-end"
    shown: str | SafeString = cell.shown
    if cell.link:
        link = '<a href="{}{}" aria-label="{}: {}, {}">{}</a>'
        shown = format_html(link, url, cell.link, cell.shown, head, first.shown, cell.shown)
    return format_html('<td role="cell" class="{}" data-head="{}">{}</td>', style, head, shown)


def joined(parts: Iterator[SafeString]) -> SafeString:
    """One below another."""
    return format_html_join("\n", "{}", ((part,) for part in parts))
