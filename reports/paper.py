"""A report as PDF, and its charts as pictures: a program of its own, `python -m reports.paper`.

In: JSON on standard input, `{"html": text, "charts": {name: chart}}`, where the HTML shows a chart as
`<img src="cid:NAME">`, in a mail and on paper alike. Out: JSON on standard output, `{"pdf": base64, "charts": {name:
base64 of PNG}}`. Touched: a scratch folder of Matplotlib's. Ends with a trace on standard error where it cannot.

Panel and worker start it (`reports.takeaway`) and stay small: it takes 100 MB and two seconds. It has neither database
nor secrets, and whatever strangers' text in the HTML asks for, it fetches nothing but the document's own pictures.
"""

import json
import sys
from base64 import b64encode
from typing import Any

from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

from reports.pictures import picture

SCHEME = "cid:"


class OwnPictures(URLFetcher):
    """Answers with the document's own pictures and with nothing else, neither files nor addresses."""

    def __init__(self, pictures: dict[str, bytes]) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False)
        self.pictures = pictures

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        """The picture; raise ValueError, which leaves the place empty, for anything else."""
        name = url.removeprefix(SCHEME)
        if url == name or name not in self.pictures:
            raise ValueError("only the document's own pictures are shown")
        return URLFetcherResponse(url, self.pictures[name], {"Content-Type": "image/png"})


def pdf(html: str, pictures: dict[str, bytes]) -> bytes:
    """The document on paper, with headings and alternative texts for who cannot see it (PDF/UA)."""
    made: bytes = HTML(string=html, url_fetcher=OwnPictures(pictures)).write_pdf(pdf_variant="pdf/ua-1")
    return made


def main() -> None:
    """From standard input to standard output."""
    asked: dict[str, Any] = json.load(sys.stdin)
    pictures = {name: picture(chart) for name, chart in asked["charts"].items()}
    shown = {name: b64encode(data).decode() for name, data in pictures.items()}
    json.dump({"pdf": b64encode(pdf(asked["html"], pictures)).decode(), "charts": shown}, sys.stdout)


if __name__ == "__main__":
    main()
