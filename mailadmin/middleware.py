"""What every answer carries: the content security policy, and the language of the person who is signed in."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

Answer = Callable[[HttpRequest], HttpResponse]
# Nothing inline, nothing from elsewhere. Bootstrap's stylesheet carries its icons as data: images.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)


def security_headers(answer: Answer) -> Answer:
    """Add the headers that keep a page to its own files, and keep people's pages out of shared caches."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response.setdefault("Content-Security-Policy", POLICY)
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if not request.path.startswith("/static/"):
            response.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def own_language(answer: Answer) -> Answer:
    """Speak the language the person chose on her own page, before the browser's."""

    def middleware(request: HttpRequest) -> HttpResponse:
        language = getattr(request.user, "language", "")
        if not language:
            return answer(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            return answer(request)

    return middleware
