"""Forms are UTF-8, whatever they claim: a charset of no text breaks Django before any view, error pages included.

In: a WSGI application. Out: one that is never told of a charset. Touched: the request's CONTENT_TYPE.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
CHARSET: Final = re.compile(r";\s*charset\s*\*?\s*=[^;]*", re.IGNORECASE)


def utf8_forms(application: Application) -> Application:
    """The same application, for which every form is UTF-8."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return answer
