"""`python -m tests.gallery`: a picture of each report that comes along, of the demo's records; and axe-core over them.

Writes docs/gallery.md and docs/gallery/*.png with Debian's Chromium. With `--axe FILE` it writes nothing, and has that
file of axe-core look for what stands in the way of readers: wide, narrow and on paper, light and dark.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

from ledger.reporting.folder import Report, find_report, report_names

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs/gallery.md"
PICTURES: Final = ROOT / "docs/gallery"
TODAY: Final = "2026-06-30"
INVENTED: Final = ("lpp-annual", "nveu-installed-base", "obligations", "uveu-shares")
"""Nobody announced anything that these are about: their pictures have invented companies beside the announced ones."""
_REGISTERS: Final = ("parties", "authorizations")
_WIDTH: Final = 1000
_HEIGHTS: Final = {"uveu-shares": 1580, "refusals-and-breaches": 1330}
_HEIGHT: Final = 1130
_VIEWS: Final = ((1280, "light", "screen"), (1280, "dark", "screen"), (390, "light", "screen"), (390, "dark", "screen"))
_PAPER: Final = ((794, "light", "print"),)
_FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-lcd-text", "--disable-background-networking")
_SCALE: Final = 0.75
"""Smaller than a screen's: the files are to stay small."""
_HEAD: Final = """# Gallery

What each report looks like, as [reports](reports.md) makes it; the page goes on below what is shown. All are of the
deployments announced in 2025 and 2026, which come along:

    quotaledger demo --out demo
    quotaledger --ledger demo/demo.duckdb report run country-quota --today {today} --out pages

Nobody announced anything that {invented} are about, so
their pictures have more records, of companies that do not exist, [registered](gallery/parties.csv) and
[filed](gallery/records.csv) with authorizations that [nobody holds](gallery/authorizations.csv):

{commands}

`make gallery` takes the pictures again, with Chromium; only the roots and instants of the ledger differ each time.
"""


def main() -> None:
    """Take the pictures, or let axe-core look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axe", type=Path, help="axe.min.js, as `npm pack axe-core` gives it")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _browser() as browser:
        pages = make_pages(Path(name))
        if wanted.axe:
            sys.exit(_look(browser, pages, wanted.axe.read_text("utf-8")))
        for report, page in pages.items():
            _take(browser, page, PICTURES / f"{report}.png", _HEIGHTS.get(report, _HEIGHT))
        PAGE.write_text(page_text({report: _summary(page) for report, page in pages.items()}), "utf-8")


def commands(ledger: str) -> list[list[str]]:
    """Give what is said to the command to add the invented companies."""
    said = [["--ledger", ledger, "register", name, f"docs/gallery/{name}.csv"] for name in _REGISTERS]
    return [*said, ["--ledger", ledger, "import", "docs/gallery/records.csv", "--provider", "invented"]]


def make_pages(folder: Path) -> dict[str, Path]:
    """Make every report as docs/gallery.md says, in a folder. Gives the page of each by its name."""
    ledger = str(folder / "demo.duckdb")
    _run("demo", "--out", str(folder))
    invented = list(INVENTED)
    for name in [name for name in report_names() if name not in invented]:
        _run("--ledger", ledger, "report", "run", name, "--today", TODAY, "--out", str(folder))
    for said in commands(ledger):
        _run(*said)
    for name in invented:
        _run("--ledger", ledger, "report", "run", name, "--today", TODAY, "--out", str(folder))
    return {name: folder / f"{name}.html" for name in report_names()}


def page_text(summaries: dict[str, str]) -> str:
    """Give the text of docs/gallery.md: a heading, a question and a picture for each report."""
    said = "\n".join(f"    quotaledger {' '.join(said)}" for said in commands("demo/demo.duckdb"))
    names = [f"`{name}`" for name in INVENTED]
    invented = f"{', '.join(names[:-1])} and {names[-1]}"
    parts = [_HEAD.format(today=TODAY, invented=invented, commands=said)]
    parts += [_section(find_report(name), summary) for name, summary in summaries.items()]
    return "\n".join(parts)


def _section(report: Report, summary: str) -> str:
    about = " With invented companies." if report.name in INVENTED else ""
    alt = f"The beginning of the page: {report.title}. {summary}".replace("[", "(").replace("]", ")")
    return f"## {report.name}\n\n{report.question}{about}\n\n![{alt}](gallery/{report.name}.png)\n"


def _summary(page: Path) -> str:
    """Give the first sentence of a page, as the Markdown beside it has it: its third line."""
    line = page.with_suffix(".md").read_text("utf-8").splitlines()[2].replace("\\", "")
    return re.sub(r", under a checkpoint of root \w+", "", line)  # another one each time


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ledger", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=list(_FLAGS))
        yield browser
        browser.close()


def _take(browser: Browser, page: Path, picture: Path, height: int) -> None:
    tab = browser.new_page(viewport={"width": _WIDTH, "height": height}, device_scale_factor=_SCALE)
    tab.goto(page.as_uri())
    tab.screenshot(path=str(picture))
    tab.close()


def _look(browser: Browser, pages: dict[str, Path], axe: str) -> int:
    """Print what axe-core finds, and pages that are wider than their window. Gives the exit code: 1 if there is any."""
    wrong = 0
    for name, page in pages.items():
        for width, scheme, media in (*_VIEWS, *_PAPER):
            # The page's own policy lets no script run; only here is it put aside.
            tab = browser.new_page(viewport={"width": width, "height": 900}, bypass_csp=True)
            tab.emulate_media(media=media, color_scheme=scheme)  # type: ignore[arg-type]
            tab.goto(page.as_uri())
            found = [_words(each) for each in _violations(tab, axe)]
            found += ["wider than its window"] * tab.evaluate("document.documentElement.scrollWidth > innerWidth")
            for words in found:
                print(f"{name}, {width} px, {scheme}, {media}: {words}")
            wrong += len(found)
            tab.close()
    print(f"{len(pages)} pages, each in {len(_VIEWS) + len(_PAPER)} ways: {wrong} faults")
    return int(wrong > 0)


def _violations(tab: Any, axe: str) -> Sequence[dict[str, Any]]:
    tab.evaluate(axe)
    found: Sequence[dict[str, Any]] = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return found


def _words(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    return f"{violation['id']} ({violation['impact']}), {len(nodes)} times, first {nodes[0]['html'][:100]}"


if __name__ == "__main__":
    main()
