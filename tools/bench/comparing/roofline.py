"""The roofline: GFLOP/s of every case over its FLOP a byte, under what the machine allows. Standard
library only."""
import math

import svg
from record import ATTUNE

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1040, 560, 58, 1020, 60, 506
RADIUS, DISTANCE = 9.5, 28
ASIDE = 13  # how far a peer's mark goes sideways that would lie under the disc
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
    rows.sort(key=lambda row: row.intensity)
    for row, at in zip(rows, spread([x(row.intensity) for row in rows])):
        parts += draw_case(row, at, y)
    parts += svg.legend(LEFT + 6, 20, dict.fromkeys(who for row in rows for who in shown(row)))
    parts.append(svg.text(RIGHT, 20, "numbers: cases; stems lead to the fastest peer", "small muted",
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
                    svg.text(LEFT - 48, TOP - 6, "GFLOP/s", "small muted")]


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
            svg.text(x1 + 8, y1 - 10, f"{section.peak_name} {section.peak:.1f} GFLOP/s",
                     "small strong"),
            svg.text(middle[0], middle[1] - 10, f"read bandwidth {section.read_gbs:.1f} GB/s",
                     "small strong", "middle",
                     transform=f"rotate({angle:.1f} {middle[0]:.1f} {middle[1]:.1f})")]


def draw_case(row, at, y):
    """A disc with the case's number for attune, a stem, and the mark of the fastest peer."""
    names = shown(row)
    heights = {who: y(row.gflops(who)) for who in names}
    parts = [svg.line(at, heights[names[0]], at, heights[names[-1]], "stem")]
    for who in names[::-1]:
        tip = f"{row.number} {row.name}: {svg.label(who)} {row.gflops(who):.1f} GFLOP/s, " \
              f"{row.intensity:.1f} FLOP per byte"
        if who == ATTUNE:
            parts.append(disc(row, at, heights[who], tip))
        else:
            covered = abs(heights[who] - heights[names[0]]) < ASIDE and who != names[0]
            parts.append(svg.mark(who, at + ASIDE * covered, heights[who], tip))
    if ATTUNE not in heights:
        parts.append(svg.text(at, heights[names[0]] - 11, str(row.number), "tiny", "middle"))
    return parts


def disc(row, x, y, tip):
    return svg.element("circle", svg.element("title", tip), cx=x, cy=y, r=RADIUS,
                       class_="mark who-attune") + \
        svg.text(x, y + 4, str(row.number), "disc-text", "middle")


def spread(places):
    """Ascending places, moved as little as possible (in squares) so that each has DISTANCE to the next.

    Less its share of distances every place must be no smaller than the one before: an isotonic
    regression, by pooling neighbours that violate it.
    """
    pools = []
    for index, place in enumerate(places):
        pools.append([place - DISTANCE * index, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, count = pools.pop()
            before, many = pools[-1]
            pools[-1] = [(mean * count + before * many) / (count + many), count + many]
    levels = [mean for mean, count in pools for _ in range(count)]
    return [level + DISTANCE * index for index, level in enumerate(levels)]
