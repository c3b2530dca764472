"""What tokens are called on a page."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ROLES: Final[dict[str, Promise]] = {
    "guardian": _("guardian"),
    "protected": _("protected"),
    "owner": _("owner"),
    "manager": _("manager"),
    "member": _("member"),
}
IN_KIND: Final[dict[str, Promise]] = {"family": _("in a family"), "business": _("in a business")}
LANGUAGES: Final = [("en", "English"), ("it", "Italiano")]
THEMES: Final = [("", _("like the device")), ("light", _("light")), ("dark", _("dark"))]
