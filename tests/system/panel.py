"""The panel as a browser without scripts sees it: pages fetched and forms posted over HTTP."""

import re
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.cookiejar import CookieJar

from tests.system.server import PASSWORD, Server

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass
class Answer:
    """A page: its status, its text, where it was found in the end, and how long it took."""

    status: int
    text: str
    url: str
    seconds: float


@dataclass
class Panel:
    """One visitor."""

    server: Server
    cookies: CookieJar = field(default_factory=CookieJar)

    def get(self, path: str) -> Answer:
        """Fetch a page."""
        return self.open(urllib.request.Request(self.server.url + path))  # noqa: S310  loopback

    def post(self, path: str, **fields: str) -> Answer:
        """Fetch a page's form and send it filled in."""
        found = TOKEN.search(self.get(path).text)
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": found[1] if found else ""})
        return self.open(urllib.request.Request(self.server.url + path, data.encode()))  # noqa: S310  loopback

    def open(self, request: urllib.request.Request) -> Answer:
        """Send a request with this visitor's cookies."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        began = time.monotonic()
        try:
            answer = opener.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode()
            return Answer(answer.status, text, answer.url, time.monotonic() - began)

    def sign_in(self, address: str = "ada@rossi.example", password: str = PASSWORD) -> "Panel":
        """Sign in; it must work."""
        answer = self.post("/sign-in/", username=address, password=password)
        assert answer.url == self.server.url + "/", answer.text
        return self
