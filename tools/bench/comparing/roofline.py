"""The roofline: GFLOP/s of every case over its FLOP a byte, under what the machine allows. Standard
library only."""
import math

import svg
from record import ATTUNE

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1040, 560, 58, 1020, 52, 506
RADIUS, DISTANCE = 10.5, 23
FIGURES = [base * 10**power for power in range(-3, 6) for base in (1, 2, 5)]


def draw(section):
    """"" where no contender has a time, or the limits are unknown."""
    rows = [row for row in section.rows if row.best]
    if not rows or not section.peak or not section.read_gbs:
        return ""
    fastest = [row.gflops(who) for row in rows for who in shown(row)]
    intensities = [row.intensity for row in rows] + [section.peak / section.read_gbs]
    x = svg.LogScale(2.0**math.floor(math.log2(min(intensities)) - 0.3),
                     2.0**math.ceil(math.log2(max(intensities)) + 0.3), LEFT, RIGHT)
    y = svg.LogScale(min(fastest) / 1.5, max(section.peak, *fastest) * 1.35, BOTTOM, TOP)
    parts = grid(x, y) + roof(section, x, y)
    placed = []
    for row in sorted(rows, key=lambda row: row.intensity):
        parts += draw_case(row, x, y, placed)
    parts += svg.legend(LEFT + 10, 22, [ATTUNE, *dict.fromkeys(
        who for row in rows for who in shown(row) if who != ATTUNE)])
    parts.append(svg.text(RIGHT, 22, "numbers: cases; stems lead to the fastest peer", "small muted",
                          "end"))
    return svg.drawing(WIDTH, HEIGHT, f"Roofline, {section.title}", parts)


def shown(row):
    """attune and the fastest peer, as far as there are times."""
    return [who for who in (ATTUNE, row.best_peer()) if who in row.best]


def grid(x, y):
    parts = []
    for value in x.ticks([2.0**power for power in range(-10, 20)]):
        parts += [svg.line(x(value), TOP, x(value), BOTTOM, "grid"),
                  svg.text(x(value), BOTTOM + 20, f"{value:g}", "small muted", "middle")]
    for value in y.ticks(FIGURES):
        parts += [svg.line(LEFT, y(value), RIGHT, y(value), "grid"),
                  svg.text(LEFT - 10, y(value) + 4, f"{value:g}", "small muted", "end")]
    return parts + [svg.text((LEFT + RIGHT) / 2, HEIGHT - 10, "FLOP per byte that must move",
                             "small muted", "middle"),
                    svg.text(LEFT - 48, TOP - 14, "GFLOP/s", "small muted")]


def roof(section, x, y):
    """The slope of the read bandwidth and the level of the FMA peak."""
    ridge = section.peak / section.read_gbs
    # The slope starts where it enters the drawing, at the left or at the bottom.
    start = max(x.low, y.low / section.read_gbs)
    corners = [(x(start), y(start * section.read_gbs)), (x(ridge), y(section.peak)),
               (RIGHT, y(section.peak))]
    (x0, y0), (x1, y1), _ = corners
    angle = math.degrees(math.atan2(y1 - y0, x1 - x0))
    middle = (x0 + x1) / 2, (y0 + y1) / 2
    return [svg.element("polyline", points=" ".join(f"{a:.1f},{b:.1f}" for a, b in corners),
                        class_="roof"),
            svg.text(RIGHT - 4, y1 - 10, f"float32 FMA peak {section.peak:.1f} GFLOP/s",
                     "small strong", "end"),
            svg.text(middle[0], middle[1] - 10, f"read bandwidth {section.read_gbs:.1f} GB/s",
                     "small strong", "middle",
                     transform=f"rotate({angle:.1f} {middle[0]:.1f} {middle[1]:.1f})")]


def draw_case(row, x, y, placed):
    """A disc with the case's number for attune, a stem, and the mark of the fastest peer."""
    names = shown(row)
    heights = {who: y(row.gflops(who)) for who in names}
    at = free_place(x(row.intensity), list(heights.values()), placed)
    placed += [(at, height) for height in heights.values()]
    parts = [svg.line(at, *[heights[names[0]]], at, heights[names[-1]], "stem")]
    for who in names[::-1]:
        tip = f"{row.number} {row.name}: {svg.label(who)} {row.gflops(who):.1f} GFLOP/s, " \
              f"{row.intensity:.1f} FLOP per byte"
        parts.append(svg.mark(who, at, heights[who], tip) if who != ATTUNE else
                     disc(row, at, heights[who], tip))
    if ATTUNE not in heights:
        parts.append(svg.text(at, heights[names[0]] - 11, str(row.number), "tiny", "middle"))
    return parts


def disc(row, x, y, tip):
    return svg.element("circle", svg.element("title", tip), cx=x, cy=y, r=RADIUS,
                       class_="mark who-attune") + \
        svg.text(x, y + 4, str(row.number), "disc-text", "middle")


def free_place(x, heights, placed):
    """The x nearest to the right one at which nothing covers what is placed already."""
    for step in range(40):
        for candidate in (x + DISTANCE * step / 2, x - DISTANCE * step / 2):
            if all(math.hypot(candidate - other, height - level) >= DISTANCE
                   for other, level in placed for height in heights):
                return candidate
    return x
