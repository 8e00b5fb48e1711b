"""Pages as tests look at them: what they say, and whether it can be read."""

from __future__ import annotations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text as Drawn

from onnx2graphml.draw.canvas import figure
from onnx2graphml.draw.page import INCH, Image, Page, Text, flat

SMALLEST = 7  # points


def texts(page: Page) -> list[str]:
    """What stands on a page, in the order of painting."""
    return [mark.text for mark in flat(page.marks) if isinstance(mark, Text)]


def images(page: Page) -> list[Image]:
    return [mark for mark in flat(page.marks) if isinstance(mark, Image)]


def illegible(page: Page) -> list[str]:
    """What is wrong with a page's texts: out of the page, on one another, or too small."""
    made = figure(page)
    renderer = FigureCanvasAgg(made).get_renderer()
    made.draw(renderer)
    drawn = [t for t in made.findobj(Drawn) if t.get_visible() and t.get_text().strip()]
    found = [f"{t.get_text()!r} is too small" for t in drawn if t.get_size() < SMALLEST]
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in drawn]
    wide, high = (side * page.dots / page.inch for side in (page.width, page.height))
    for name, box in boxes:
        if box.x0 < 0 or box.y0 < 0 or box.x1 > wide or box.y1 > high:
            found.append(f"{name!r} is not inside")
    for k, (name, box) in enumerate(boxes):
        for other, its in boxes[:k]:
            across = min(box.x1, its.x1) - max(box.x0, its.x0)
            down = min(box.y1, its.y1) - max(box.y0, its.y0)
            if across > 1 and down > 3:
                found.append(f"{name!r} lies on {other!r}")
    return found


def page_of(*marks: Text | Image) -> Page:
    return Page(4 * INCH, 3 * INCH, marks)
