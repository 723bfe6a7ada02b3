"""A page taken apart for tests, and words that try to harm its reader."""

from html.parser import HTMLParser

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{ 7 * 7 }}\u202eevil"


class Page(HTMLParser):
    """The tags of a page, its text outside of styles, and every attribute."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        """Keep text, but no style."""
        if not self.tags or self.tags[-1][0] != "style" or self.get_starttag_text() != "<style>":
            self.words.append(data)

    def all(self, name: str) -> list[str]:
        """Give every value of an attribute."""
        return [attributes[name] for _, attributes in self.tags if name in attributes]

    def count(self, tag: str) -> int:
        """Count a tag."""
        return sum(found == tag for found, _ in self.tags)
