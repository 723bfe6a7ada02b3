"""A map of the world by use of the caps, as SVG: the outlines of Natural Earth 1:110m, in the Equal Earth projection.

The outlines come with the extra `maps`; without it there is no map, and pages say what they say in words and tables.
At that scale small states have no outline: the caption names those that are used and not drawn.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup, escape

from ledger.reporting import wording

Row = Mapping[str, Any]
Ring = list[tuple[float, float]]

_OUTLINES: Final = "datasets/naturalearth_lowres/naturalearth_lowres"
_WIDTH: Final = 960
_LATITUDES: Final = (-56.5, 84)
"""From Tierra del Fuego to the north of Greenland: nobody has a chip in Antarctica."""
_A: Final = (1.340264, -0.081106, 0.000893, 0.003796)
"""Coefficients of Equal Earth: Savric, Patterson and Jenny, 2018, equation 4."""
_LABELS_MAX: Final = 12
_LABEL_WIDTH: Final = 60
_CLASSES: Final = ("open", "watch", "critical", "exhausted", "over")


def world_figure(positions: Sequence[Row]) -> dict[str, Any]:
    """Draw where how much of the caps is used, out of rows of `country_positions`, the most used first.

    Gives `drawing`, its `words`, the statuses that are `shown` and the used countries that are `missing` from it; empty
    if nothing is used or there are no outlines.
    """
    used = [row for row in positions if row["used_tpp"]]
    outlines = _outlines()
    if not used or not outlines:
        return {}
    drawn = [row for row in used if row["destination"] in outlines]
    capped = {row["destination"] for row in positions}
    said = [f"{row['name']} {wording.percent_text(row['used_percent'])} ({row['status']})" for row in drawn]
    rest = f" and {len(said) - _LABELS_MAX:,} more" if len(said) > _LABELS_MAX else ""
    return {
        "drawing": Markup("").join(_parts(drawn, capped)),
        "words": f"Map of the world: percent of its cap that each country has used."
        f" {wording.listed(said[:_LABELS_MAX]) or 'No country that is drawn'}{rest}.",
        "shown": [status for status in _CLASSES if any(row["status"] == status for row in drawn)],
        "missing": [row["name"] for row in used if row["destination"] not in outlines],
    }


def _parts(used: Sequence[Row], capped: Iterable[str]) -> Iterator[Markup]:
    """Give the parts of the drawing: all land, then what is used, the most used last and on top, then their names."""
    outlines, height = _outlines(), _height()
    of_status = {row["destination"]: row["status"] for row in used}
    yield Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" class="world">').format(_WIDTH, height)
    plain: dict[bool, list[str]] = {False: [], True: []}
    for code, rings in outlines.items():
        if code not in of_status:
            plain[code in capped].append(_path(rings))
    for is_capped, paths in plain.items():
        yield Markup('<path class="{}" d="{}"/>').format("unused" if is_capped else "uncapped", "".join(paths))
    for row in reversed(used):
        percent = wording.percent_text(row["used_percent"])
        title = Markup("<title>{}</title>").format(f"{row['name']}: {percent}, {row['status']}")
        path = _path(outlines[row["destination"]])
        yield Markup('<path class="used {}" d="{}">{}</path>').format(row["status"], path, title)
    for row in used[:_LABELS_MAX]:
        x, y = _label(outlines[row["destination"]])
        label = escape(f"{row['destination']} {wording.percent_text(row['used_percent'])}")
        yield Markup('<text x="{}" y="{}">{}</text>').format(x, y, label)
    yield Markup("</svg>")


def _path(rings: Sequence[Ring]) -> str:
    """Write rings as the data of a path."""
    return "".join("M" + "L".join(f"{x:g},{y:g}" for x, y in ring) + "Z" for ring in rings)


def _label(rings: Sequence[Ring]) -> tuple[float, float]:
    """Give where a country's label stands: on its largest part, or above one that it would hide."""
    largest = max(rings, key=lambda ring: abs(_area(ring)))
    xs, ys = zip(*largest, strict=True)
    is_small = max(xs) - min(xs) < _LABEL_WIDTH
    return round((min(xs) + max(xs)) / 2, 1), round(min(ys) - 5 if is_small else (min(ys) + max(ys)) / 2, 1)


def _area(ring: Ring) -> float:
    following = [*ring[1:], ring[0]]
    return sum(x * v - u * y for (x, y), (u, v) in zip(ring, following, strict=True)) / 2


@cache
def _outlines() -> Mapping[str, list[Ring]]:
    """Give the rings of each country by its ISO 3166-1 alpha-2 code, in units of the drawing; none without `maps`."""
    home = find_spec("geopandas")
    if home is None or home.origin is None or find_spec("shapefile") is None or find_spec("pycountry") is None:
        return {}
    import pycountry  # noqa: PLC0415 -- of the extra
    import shapefile  # noqa: PLC0415 -- of the extra

    codes = {country.alpha_3: country.alpha_2 for country in pycountry.countries}
    found: dict[str, list[Ring]] = {}
    with shapefile.Reader(str(Path(home.origin).parent / _OUTLINES)) as reader:
        for shape in reader.iterShapeRecords():
            code = codes.get(shape.record["iso_a3"])
            if code is None or code == "AQ":
                continue
            ends = [*shape.shape.parts, len(shape.shape.points)]
            rings = [shape.shape.points[start:end] for start, end in pairwise(ends)]
            found[code] = [_placed(ring) for ring in rings]
    return found


def _placed(ring: Sequence[Sequence[float]]) -> Ring:
    """Give a ring of longitudes and latitudes in units of the drawing, without points that fall on one before."""
    points = [_place(longitude, latitude) for longitude, latitude in (point[:2] for point in ring)]
    return [point for number, point in enumerate(points) if not number or point != points[number - 1]]


def _place(longitude: float, latitude: float) -> tuple[float, float]:
    scale = _WIDTH / (2 * projected(180, 0)[0])
    x, y = projected(longitude, latitude)
    return round(_WIDTH / 2 + x * scale, 1), round((projected(0, _LATITUDES[1])[1] - y) * scale, 1)


def _height() -> int:
    return int(_place(0, _LATITUDES[0])[1]) + 1


def projected(longitude: float, latitude: float) -> tuple[float, float]:
    """Give x and y of Equal Earth on a sphere of radius one."""
    a, b, c, d = _A
    t = asin(sqrt(3) / 2 * sin(radians(latitude)))
    slope = 9 * d * t**8 + 7 * c * t**6 + 3 * b * t**2 + a
    return 2 * sqrt(3) * radians(longitude) * cos(t) / (3 * slope), d * t**9 + c * t**7 + b * t**3 + a * t
