"""Small parts of SVG drawings. Colours come from the classes of page.css, so that they follow the
reader's light or dark scheme. Standard library only."""
import html
import math

LABELS = {"attune": "attune", "torch": "PyTorch", "openvino": "OpenVINO",
          "onnxruntime": "ONNX Runtime", "onednn": "oneDNN"}
# Colours are told apart by shape as well: marks of page.css, in the order of the contenders.
SHAPES = {"attune": "disc", "torch": "circle", "openvino": "square", "onnxruntime": "triangle",
          "onednn": "diamond"}


def label(who):
    return LABELS.get(who, who)


def style(who):
    """The class of a contender's colour."""
    return "who-" + (who if who in LABELS else "other")


def element(name, content="", **attributes):
    """An element; `_` in attribute names stands for `-`, `class_` for class."""
    text = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(format_value(value))}"'
                   for key, value in attributes.items())
    return f"<{name}{text}>{content}</{name}>"


def format_value(value):
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def text(x, y, content, class_="", anchor="start", **attributes):
    return element("text", html.escape(content), x=float(x), y=float(y), class_=class_,
                   text_anchor=anchor, **attributes)


def line(x1, y1, x2, y2, class_):
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def mark(who, x, y, title=""):
    """A contender's mark, with a text that appears under the pointer."""
    shape, size = SHAPES.get(who, "diamond"), 5.5
    tip = element("title", html.escape(title)) if title else ""
    class_ = f"mark {style(who)}"
    if shape in ("disc", "circle"):
        return element("circle", tip, cx=float(x), cy=float(y), r=size, class_=class_)
    corners = {"square": ((-5, -5), (5, -5), (5, 5), (-5, 5)),
               "triangle": ((0, -6.5), (6.2, 4.8), (-6.2, 4.8)),
               "diamond": ((0, -7), (7, 0), (0, 7), (-7, 0))}[shape]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return element("polygon", tip, points=points, class_=class_)


def drawing(width, height, title, parts):
    return element("svg", element("title", html.escape(title)) + "".join(parts),
                   viewBox=f"0 0 {width} {height}", width=width, height=height, role="img",
                   class_="drawing")


def legend(x, y, contenders):
    """Marks and names in a row that starts at x."""
    parts = []
    for who in contenders:
        parts += [mark(who, x, y - 4.5), text(x + 12, y, label(who), "small")]
        x += 34 + 7.2 * len(label(who))
    return parts


class LogScale:
    """Maps values in [low, high] to [start, end] by their logarithm."""

    def __init__(self, low, high, start, end):
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, candidates):
        return [value for value in candidates if self.low <= value <= self.high]
