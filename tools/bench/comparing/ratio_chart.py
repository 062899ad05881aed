"""The chart of ratios: for each case how many times longer the fastest peer takes. Standard library."""
import svg
from record import ATTUNE

WIDTH, LEFT, RIGHT, TOP, ROW = 1040, 292, 856, 76, 40
BAR = 14
TICKS = (0.1, 0.2, 0.25, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100)
LEAST_DISTANCE = 30  # of the labels of two ticks


def draw(section):
    """A row a case; "" where attune has no time in any case."""
    if not section.ratios():
        return ""
    ratios = [row.ratio(who) for row in section.rows for who in row.best if who != ATTUNE]
    ratios = [ratio for ratio in ratios if ratio is not None]
    scale = svg.LogScale(min(0.8, *ratios) / 1.06, max(1.5, *ratios) * 1.06, LEFT, RIGHT)
    bottom = TOP + ROW * len(section.rows)
    parts = axis(scale, bottom)
    for index, row in enumerate(section.rows):
        parts += draw_row(row, scale, TOP + ROW * index + ROW / 2)
    parts.append(svg.line(scale(1), TOP - 8, scale(1), bottom + 6, "one"))
    peers = [who for who in section.contenders if who != ATTUNE]
    parts += svg.legend(12, 20, peers)
    return svg.drawing(WIDTH, bottom + 34, f"Time of the peers as a multiple of attune's, "
                       f"{section.title}", parts)


def axis(scale, bottom):
    parts, taken = [], []
    one = scale(1)
    parts += [svg.text(one - 10, 58, "← peer is faster", "small muted", "end"),
              svg.text(one + 10, 58, "attune is faster →", "small muted")]
    # 1 has its label first, then those of its neighbours that leave room.
    for value in sorted(scale.ticks(TICKS), key=lambda value: (value != 1, abs(scale(value) - one))):
        if any(abs(scale(value) - x) < LEAST_DISTANCE for x in taken):
            continue
        taken.append(scale(value))
        parts += [svg.line(scale(value), TOP - 4, scale(value), bottom, "grid"),
                  svg.text(scale(value), bottom + 22, f"{value:g}×", "small muted", "middle")]
    return parts


def draw_row(row, scale, y):
    parts = [svg.element("circle", cx=17.0, cy=y, r=10.5, class_="badge"),
             svg.text(17, y + 4, str(row.number), "badge-text", "middle"),
             svg.text(36, y - 2, row.name, "name"),
             svg.text(36, y + 13, row.text, "tiny muted")]
    peer = row.best_peer()
    ratio = row.ratio(peer)
    if ratio is None:
        return parts + [svg.text(LEFT + 8, y + 4, reason(row), "small muted italic")]
    start, end = sorted((scale(1), scale(ratio)))
    parts.append(svg.element("rect", x=start, y=y - BAR / 2, width=max(end - start, 1.0), height=BAR,
                             rx=2, class_="ahead" if ratio >= 1 else "behind"))
    # The fastest peer is drawn last, on top.
    for who in sorted((who for who in row.best if who != ATTUNE), key=row.best.get, reverse=True):
        parts.append(svg.mark(who, scale(row.ratio(who)), y,
                              f"{row.name}: {svg.label(who)} {row.best[who]:.3f} ms, attune "
                              f"{row.best[ATTUNE]:.3f} ms: {row.ratio(who):.2f}×"))
    parts += [svg.text(RIGHT + 72, y + 5, f"{ratio:.2f}×", "figure", "end"),
              svg.text(RIGHT + 82, y + 4, svg.label(peer), "small muted")]
    return parts


def reason(row):
    """Why a case has no ratio."""
    result = row.results.get(ATTUNE)
    if result is None or result["status"] == "ok":
        return "no time of attune yet" if ATTUNE not in row.best else "no time of a peer"
    return f"attune: {result['status']}"
