"""What should happen to mail: whom people may write with, what waits for an answer, and what was decided."""

from policies.models.contacts import Contact, is_always, own_domain
from policies.models.filters import Filing, FilterRule, Forwarding, Spam, Vacation
from policies.models.held import Answer, Decision, HeldLetter, Notice, Question, Reply, RuleAct
from policies.models.usage import Acknowledgement, UsagePolicy

__all__ = [
    "Acknowledgement",
    "Answer",
    "Contact",
    "Decision",
    "Filing",
    "FilterRule",
    "Forwarding",
    "HeldLetter",
    "Notice",
    "Question",
    "Reply",
    "RuleAct",
    "Spam",
    "UsagePolicy",
    "Vacation",
    "is_always",
    "own_domain",
]
