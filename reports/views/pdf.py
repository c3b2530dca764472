"""A report as a PDF to be saved. In: a `Document`. Out: the file, or a page that says why there is none (503)."""

import logging
from threading import Lock
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.pages import SignedIn
from deploy.services.programs import CommandError
from reports.takeaway import Document, drawn

BUSY: Final = Lock()  # each takes a hundred megabytes: a process of the panel draws one at a time
PATIENCE: Final = 20.0  # seconds
logger = logging.getLogger(__name__)


def saved_pdf(request: SignedIn, document: Document) -> HttpResponse:
    """The file."""
    if not BUSY.acquire(timeout=PATIENCE):
        return none(request, _("Other reports are being drawn: try again in a minute."))
    try:
        paper = drawn(document)
    except CommandError as error:
        logger.error("No PDF: %s", error)
        return none(request, _("The PDF could not be made: save the tables one by one, or print the page."))
    finally:
        BUSY.release()
    response = HttpResponse(paper.pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{document.file}.pdf"'
    return response


def none(request: SignedIn, sentence: str) -> HttpResponse:
    """A page that says why there is no file, and leads back."""
    asked = request.GET.copy()
    asked.pop("format", None)
    return render(request, "refused.html", {"sentence": sentence, "back": f"?{asked.urlencode()}"}, status=503)
