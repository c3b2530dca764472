"""When wishes change, every mail host is asked to look."""

from django.dispatch import receiver

from accounts.wishes import wishes_changed
from deploy.models import MailHost
from deploy.tasks import poke


@receiver(wishes_changed)
def poke_every_host(**_kwargs: object) -> None:
    """Ask each host; one queue that does not answer is asked once."""
    for name in MailHost.objects.values_list("name", flat=True):
        if not poke(name):
            return
