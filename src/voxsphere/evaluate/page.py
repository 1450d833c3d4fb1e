"""The shell of a self-contained HTML page: style, escaping, sections, tables, figures; rates in words.

One file, no script, no network: `page(title, [section(heading, table(...), figure(...)), ...])`. Text given as `str` is
escaped; `Html` marks what is markup already. Drawings take their colours from the page's style through classes
(`target`, `nontarget`, `axis`, `grid`, `guide`, `mark`), so that they follow the reader's light or dark mode.
"""

import html
from collections.abc import Iterable, Sequence

COLOURS = """
:root { color-scheme: light dark;
  --paper: #fcfcfa; --ink: #1d1f21; --soft: #64686d; --line: #dcdcd6; --panel: #f3f3ee;
  --target: #1769aa; --nontarget: #c4561a; --good: #2b7a4b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #17191b; --ink: #e6e6e1; --soft: #a0a4a8; --line: #36393c; --panel: #202326;
  --target: #6cb2eb; --nontarget: #f0925a; --good: #6cc493; --bad: #f2837b; } }
"""
DRAWN = """
.target { --colour: var(--target); } .nontarget { --colour: var(--nontarget); }
svg { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
svg text { fill: var(--soft); } svg text.label { fill: var(--ink); }
svg .grid { stroke: var(--line); fill: none; } svg .axis { stroke: var(--soft); fill: none; }
svg .guide { stroke: var(--soft); stroke-dasharray: 4 4; fill: none; }
svg .curve { stroke: var(--colour, var(--target)); stroke-width: 2; fill: none; stroke-linejoin: round; }
svg .area { fill: var(--colour); fill-opacity: .22; stroke: var(--colour); stroke-width: 1.4; stroke-linejoin: round; }
svg .mark { fill: var(--paper); stroke: var(--ink); stroke-width: 1.6; }
svg .key { fill: var(--colour); }
"""
"""What drawings need of the style: the colours, and what wears them."""

_STYLE = (
    COLOURS
    + DRAWN
    + """
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.15rem; margin: 2.6rem 0 .7rem; }
p { margin: .4rem 0 .8rem; max-width: 44rem; }
.lead { font-size: 1.06rem; color: var(--soft); }
.note, figcaption { font-size: .87rem; color: var(--soft); }
.scroll { overflow-x: auto; margin-bottom: 1.1rem; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
th, td { text-align: left; padding: .42rem .9rem .42rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; font-size: .82rem; color: var(--soft); white-space: nowrap; }
td.long { overflow-wrap: anywhere; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
figure { margin: 0; min-width: 0; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { margin-top: .35rem; }
.figures { display: grid; gap: 1.8rem 2.2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.same { color: var(--good); } .different { color: var(--bad); }
@media (max-width: 30rem) { body { padding: 1.25rem .9rem 3rem; } h1 { font-size: 1.4rem; }
  th, td { padding-right: .55rem; } table { font-size: .88rem; } }
@media print { body { max-width: none; } section { break-inside: avoid; } }
"""
)


class Html(str):
    """Text that is markup already, and goes into the page as it is."""

    __slots__ = ()


def escape(text: object) -> Html:
    """Any text, made safe to stand in a page; `Html` stays as it is."""
    return text if isinstance(text, Html) else Html(html.escape(str(text)))


def page(title: str, sections: Iterable[Html], *, lead: str = "", style: str = "") -> str:
    """A whole page: a title, one leading sentence or more, sections. `style` is added to the shell's own."""
    opening = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head>\n"
        f"<body><header><h1>{escape(title)}</h1>{opening}</header>\n{''.join(sections)}</body></html>\n"
    )


def section(heading: str, *content: str) -> Html:
    """A part of the page under a heading; plain `str` content becomes paragraphs."""
    inside = "".join(part if isinstance(part, Html) else paragraph(part) for part in content)
    return Html(f"<section><h2>{escape(heading)}</h2>{inside}</section>\n")


def paragraph(text: str, *, note: bool = False) -> Html:
    """A paragraph; a `note` is set smaller."""
    kind = ' class="note"' if note else ""
    return Html(f"<p{kind}>{escape(text)}</p>")


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Iterable[int] = (),
    long: Iterable[int] = (),
) -> Html:
    """A table. Columns in `numbers` are set to the right, in digits of one width; those in `long` break anywhere."""
    kinds = {**dict.fromkeys(numbers, ' class="number"'), **dict.fromkeys(long, ' class="long"')}

    def line(cells: Sequence[object], tag: str) -> str:
        return "".join(f"<{tag}{kinds.get(place, '')}>{escape(cell)}</{tag}>" for place, cell in enumerate(cells))

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    head = f"<thead><tr>{line(header, 'th')}</tr></thead>" if any(header) else ""
    return Html(f'<div class="scroll"><table>{head}<tbody>{body}</tbody></table></div>')


def figure(drawing: Html, caption: str) -> Html:
    """A drawing (inline SVG) with its caption."""
    return Html(f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>")


def figures(*drawn: Html) -> Html:
    """Figures side by side where the page is wide enough."""
    return Html(f'<div class="figures">{"".join(drawn)}</div>')


def percent(rate: float) -> str:
    """A rate as a percentage with as many places as it needs: 12.3 %, 0.04 %, never a rounded 0 or 100."""
    for places in range(1, 4):
        text = f"{100 * rate:.{places}f}"
        if 0 < float(text) < 100:
            return f"{text} %"
    return "< 0.001 %" if rate < 0.5 else "> 99.999 %"


def interval(rate: float, bounds: tuple[float, float] | None) -> str:
    """A rate with its interval."""
    between = "interval not available" if bounds is None else f"{100 * bounds[0]:.1f} to {100 * bounds[1]:.1f}"
    return f"{100 * rate:.1f} % ({between})"
