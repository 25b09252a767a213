"""Check the links and images of a built site: ``python docs/check_links.py FOLDER``.

All that point into the site must lead to a file, and to a place in it that exists. What
is elsewhere is not asked for, since this runs offline.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and the places that links may lead to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Called for each tag."""
        of = dict(attrs)
        self.places |= {of[name] for name in ("id", "name") if of.get(name)}
        self.links += [of[name] for name in ("href", "src") if of.get(name)]
        for source in (of.get("srcset") or "").split(","):
            self.links += source.split()[:1]


def broken_links(folder):
    """Sentences on links that lead nowhere."""
    folder = Path(folder).resolve()
    paths = sorted(folder.rglob("*.html"))
    # The theme keeps templates among the files that it copies.
    pages = {path: Page(path) for path in paths if "_static" not in path.parts}
    if not pages:
        yield f"{folder} has no pages."
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if target.is_dir():
                target /= "index.html"
            where = f"{path.relative_to(folder)}: {link}"
            if not target.exists():
                yield f"{where} leads to no file."
            elif target in pages and url.fragment and url.fragment != "top":
                if unquote(url.fragment) not in pages[target].places:
                    yield f"{where} leads to no place in its page."


if __name__ == "__main__":
    broken = list(broken_links(*sys.argv[1:]))
    print("\n".join(broken) or "All links lead somewhere.")
    sys.exit(bool(broken))
