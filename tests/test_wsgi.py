from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from mailadmin.utf8 import utf8_forms
from tests.household import Household

KINDS = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]


@pytest.mark.parametrize("charset", ["charset=utf-16", 'Charset="hex"', "charset = idna", "charset*=utf-8''rot13"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_form_in_a_strange_charset_breaks_nothing(household: Household, kind: str, charset: str) -> None:
    body = b"username=x"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/sign-in/",
        "QUERY_STRING": "next=x",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": f"{kind}; {charset}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "http",
    }
    answered: list[str] = []
    page = utf8_forms(WSGIHandler())(environ, lambda status, _headers: answered.append(status))
    assert answered == ["403 Forbidden"]  # no token of ours: the page that says so
    assert b"</html>" in b"".join(page)
