"""One self-contained HTML page of a record: no script, nothing to load. Standard library only."""
import html
import os

import ratio_chart
import roofline
from method import METHOD, command, machine_facts, notices
from record import ATTUNE, sections
from svg import label, style

HERE = os.path.dirname(os.path.abspath(__file__))


def draw(record):
    """The page's text."""
    with open(os.path.join(HERE, "page.css"), encoding="utf-8") as file:
        css = file.read()
    parts = sections(record)
    body = [header(record), *(f'<p class="notice">{html.escape(text)}</p>' for text in notices(record)),
            tiles(parts), *map(draw_section, parts), machine(record), method(record)]
    return ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>attune and its CPU peers</title>\n<style>\n{css}</style>\n</head>\n<body>\n<main>\n"
            + "\n".join(body) + "\n</main>\n</body>\n</html>\n")


def header(record):
    return ("<h1>attune and its CPU peers</h1>\n"
            f'<p class="lead">{html.escape(record["machine"].get("cpu", "unknown CPU"))} · '
            f'attune {html.escape(record["attune"].get("describe", ""))} · '
            f'{html.escape(record["date"].replace("T", " ")[:16])}</p>')


def anchor(section):
    return f"{section.dtype}-{section.threads}"


def tiles(parts):
    """For each section the mean ratio and how many cases it stands for."""
    texts = []
    for section in parts:
        ratios, mean = section.ratios(), section.mean_ratio()
        figure = f"<b>{mean:.2f}×</b>" if mean else '<b class="none">no ratio</b>'
        ahead = sum(ratio > 1 for ratio in ratios)
        words = (f"best peer’s time / attune’s, geometric mean; attune is faster in {ahead} of "
                 f"{len(ratios)} cases" if mean else "attune has no time here")
        texts.append(f'<a class="tile" href="#{html.escape(anchor(section))}">'
                     f"<span>{html.escape(section.title)}</span>{figure}<span>{words}</span></a>")
    return f'<div class="tiles">{"".join(texts)}</div>'


def card(title, about, content):
    return (f'<div class="card"><h3>{title}</h3><p class="about">{about}</p>'
            f'<div class="scroll">{content}</div></div>')


def draw_section(section):
    text = [f'<h2 id="{html.escape(anchor(section))}">{html.escape(section.title)}</h2>']
    if section.peak and section.read_gbs:
        text.append(f'<p class="about">This machine, same threads, same run: '
                    f"{html.escape(section.peak_name)} {section.peak:.1f} GFLOP/s, "
                    f"read bandwidth {section.read_gbs:.1f} GB/s.</p>")
    text += [f'<p class="notice">{html.escape(said)}</p>' for said in section.refusals()]
    chart, roof = ratio_chart.draw(section), roofline.draw(section)
    if chart:
        text.append(card("How many times longer the peers take",
                         "Best time of a peer / best time of attune, logarithmic. The bar ends at the "
                         "fastest peer; 1× is attune.", chart))
    text.append(card("Figures", "GFLOP/s at the best time; below it best and median time in ms. "
                     f"Bold: the fastest of the row. The peak is the {section.peak_name}.", table(section)))
    if roof:
        text.append(card("Roofline", "What the machine allows at each arithmetic intensity (inputs, "
                         "parameters and outputs moved once). Neighbours that would cover each other "
                         "are moved sideways; the table has the exact figures.", roof))
    return "\n".join(text)


def table(section):
    heads = "".join(f'<th scope="col">{html.escape(label(who))}</th>' for who in section.contenders)
    rows = "".join(table_row(section, row) for row in section.rows)
    return ('<table><thead><tr><th scope="col">#</th><th scope="col" class="case">case</th>'
            f'<th scope="col">FLOP<br>per byte</th>{heads}<th scope="col">best peer<br>/ attune</th>'
            '<th scope="col">attune<br>of peak</th><th scope="col">of roof</th></tr></thead>'
            f"<tbody>{rows}</tbody></table>")


def table_row(section, row):
    fastest = min(row.best, key=row.best.get, default=None)
    cells = "".join(figure_cell(row, who, who == fastest) for who in section.contenders)
    ratio, has_attune = row.ratio(row.best_peer()), ATTUNE in row.best
    peak = row.gflops(ATTUNE) / section.peak if has_attune and section.peak else None
    roof = row.gflops(ATTUNE) / row.roof if has_attune and row.roof else None
    intensity = f"{row.intensity:.0f}" if row.intensity >= 10 else f"{row.intensity:.2g}"
    return (f'<tr><td>{row.number}</td><td class="case">{html.escape(row.name)}'
            f"<small>{html.escape(row.text)}</small></td><td>{intensity}</td>{cells}"
            f"<td>{f'{ratio:.2f}×' if ratio else '–'}</td><td>{share_bar(peak)}</td>"
            f"<td>{f'{roof:.0%}' if roof else '–'}</td></tr>")


def figure_cell(row, who, is_fastest):
    result = row.results.get(who)
    if who not in row.best:
        status = result["status"] if result and result["status"] != "ok" else "–"
        tip = html.escape((result or {}).get("message") or "")
        return f'<td class="absent" title="{tip}">{html.escape(status)}</td>'
    tip = f"largest error {result['error']:.2g} of {result['magnitude']:.2g}" \
        if result.get("error") is not None and result.get("magnitude") else ""
    return (f'<td{" class=best" if is_fastest else ""} title="{tip}">{row.gflops(who):.1f}'
            f"<small>{three_digits(row.best[who])} · {three_digits(row.median[who])} ms</small></td>")


def three_digits(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def share_bar(share):
    if share is None:
        return "–"
    return f'<span class="share"><i style="width:{min(share, 1):.0%}"></i></span><b>{share:.0%}</b>'


def machine(record):
    facts = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>"
                    for name, text in machine_facts(record))
    return f'<h2>Machine and versions</h2>\n<div class="card"><dl>{facts}</dl></div>'


def method(record):
    items = "".join(f"<li>{html.escape(text)}</li>" for text in METHOD)
    return (f'<h2>How it was measured</h2>\n<div class="card"><ul>{items}</ul></div>\n'
            f"<h2>How to run it again</h2>\n<pre>{html.escape(command(record))}</pre>\n"
            '<p class="about">On a machine that does nothing else. The same command with '
            "<code>--from-json</code> and the record draws this page again.</p>")
