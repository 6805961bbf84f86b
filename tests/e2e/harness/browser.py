"""A page as a browser shows it: chromium, headless, and the tree that it makes of the page."""

import html.parser
import os
import shutil
import subprocess

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def binary():
    """The browser's command; None if there is none."""
    return next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


class Element:
    def __init__(self, tag, attributes, parent=None):
        self.tag = tag
        self.attributes = dict(attributes)
        self.parent = parent
        self.children = []  # elements and texts

    def classes(self):
        return (self.attributes.get("class") or "").split()

    def text(self):
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def walk(self):
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.walk()

    def all(self, tag=None, cls=None, **attributes):
        """Elements below this one, in order; underscores in the attributes' names stand for hyphens."""
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        return [e for e in self.walk() if (tag is None or e.tag == tag) and (cls is None or cls in e.classes())
                and all(e.attributes.get(name) == value for name, value in wanted.items())]

    def one(self, *args, **kwargs):
        (found,) = self.all(*args, **kwargs)
        return found


class _Parser(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element("", {})

    def handle_starttag(self, tag, attributes):
        made = Element(tag, attributes, self.at)
        self.at.children.append(made)
        if tag not in VOID:
            self.at = made

    def handle_startendtag(self, tag, attributes):
        self.at.children.append(Element(tag, attributes, self.at))

    def handle_endtag(self, tag):
        at = self.at
        while at is not None and at.tag != tag:
            at = at.parent
        if at is not None:
            self.at = at.parent

    def handle_data(self, data):
        self.at.children.append(data)


def parse(text):
    parser = _Parser()
    parser.feed(text)
    parser.close()
    return parser.root


class Browser:
    def __init__(self, directory):
        self.directory = str(directory)

    def _run(self, *arguments):
        command = [binary(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                   "--disable-background-networking", "--disable-component-update", "--no-first-run",
                   "--user-data-dir=" + os.path.join(self.directory, "profile"), *arguments]
        done = subprocess.run(command, capture_output=True, timeout=50)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    def show(self, path, fragment=""):
        """The tree of a page once its scripts have run."""
        return parse(self._run("--dump-dom", "--virtual-time-budget=5000", f"file://{path}#{fragment}").decode())

    def picture(self, path, fragment="", size=(1280, 1000), dark=False):
        """A PNG of the page."""
        file = os.path.join(self.directory, "page.png")
        arguments = ["--blink-settings=preferredColorScheme=0"] if dark else []
        self._run(*arguments, f"--screenshot={file}", "--window-size={},{}".format(*size), f"file://{path}#{fragment}")
        with open(file, "rb") as png:
            return png.read()
