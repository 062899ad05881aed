"""The tables of a record as Markdown, for a README. Standard library only."""
from method import machine_facts, notices
from record import ATTUNE, sections
from svg import label


def draw(record):
    """A line on machine and versions, then a table for each dtype and number of threads."""
    facts = dict(machine_facts(record))
    versions = ", ".join(f"{label(who)} {version}" for who, version in record["versions"].items()
                         if who != ATTUNE)
    lines = [f"{facts['CPU']}; {record['date'][:10]}; {versions}. GFLOP/s at the best time; bold: the "
             "fastest of the row."]
    lines += [f"**{text}**" for text in notices(record)]
    return "\n\n".join(lines + [table(section) for section in sections(record)]) + "\n"


def table(section):
    heads = ["case", *map(label, section.contenders), "best peer / attune", f"share of {section.peak_name}"]
    title = section.title
    if section.peak and section.read_gbs:
        title += f": {section.peak_name} {section.peak:.0f} GFLOP/s, read bandwidth {section.read_gbs:.0f} GB/s"
    rows = [[f"{row.name}: {row.text}", *figures(section, row), ratio_text(row.ratio(row.best_peer())),
             share_text(section, row)] for row in section.rows]
    if section.mean_ratio():
        blank = [""] * len(section.contenders)
        rows.append(["geometric mean", *blank, ratio_text(section.mean_ratio()), ""])
    lines = [heads, ["---"] + ["--:"] * (len(heads) - 1), *rows]
    return f"{title}\n\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def figures(section, row):
    """What each contender reached, or why it has no figure."""
    fastest = min(row.best, key=row.best.get, default=None)
    for who in section.contenders:
        if who in row.best:
            figure = f"{row.gflops(who):.1f}"
            yield f"**{figure}**" if who == fastest else figure
        else:
            status = row.results[who]["status"] if who in row.results else ""
            yield "" if status == "ok" else status  # interrupted before its first turn


def ratio_text(ratio):
    return f"{ratio:.2f}" if ratio else ""


def share_text(section, row):
    if ATTUNE not in row.best or not section.peak:
        return ""
    return f"{row.gflops(ATTUNE) / section.peak:.0%}"
