"""Addresses of the pages about what waits, the people looked after, and their lists."""

from django.urls import path, register_converter

from policies.views import (
    adding,
    audit,
    children,
    contacts,
    filter_settings,
    filters,
    letters,
    questions,
    usage,
    waiting,
)
from policies.views.filters import KeyConverter
from policies.views.owners import OwnerConverter

register_converter(OwnerConverter, "owner")
register_converter(KeyConverter, "key")

urlpatterns = [
    path("waiting/", waiting.waiting_list, name="waiting-list"),
    path("waiting/summary/", waiting.waiting_summary, name="waiting-summary"),
    path("waiting/silent/", waiting.waiting_silent, name="waiting-silent"),
    path("waiting/<int:pk>/", letters.held_letter_show, name="held-letter-show"),
    path("waiting/questions/<int:pk>/", questions.question_answer, name="question-answer"),
    path("family/<int:pk>/", children.child_show, name="child-show"),
    path("family/<int:pk>/level/<int:membership>/", children.child_level, name="child-level"),
    path("family/<owner:whose>/people/", contacts.contact_list, name="contact-list"),
    path("family/<owner:whose>/people/add/", adding.contact_add, name="contact-add"),
    path("family/<owner:whose>/people/paste/", adding.contact_paste, name="contact-paste"),
    path("family/<owner:whose>/people/<int:pk>/", contacts.contact_edit, name="contact-edit"),
    path("family/<owner:whose>/people/<int:pk>/block/", contacts.contact_block, name="contact-block"),
    path("family/<owner:whose>/people/<int:pk>/remove/", contacts.contact_remove, name="contact-remove"),
    path("family/<owner:whose>/people/<int:pk>/restore/", contacts.contact_restore, name="contact-restore"),
    path("rules/<int:pk>/", filters.rule_list, name="rule-list"),
    path("rules/<int:pk>/add/", filters.rule_add, name="rule-add"),
    path("rules/<int:pk>/<key:key>/", filters.rule_edit, name="rule-edit"),
    path("rules/<int:pk>/<key:key>/move/", filters.rule_move, name="rule-move"),
    path("rules/<int:pk>/<key:key>/switch/", filters.rule_switch, name="rule-switch"),
    path("rules/<int:pk>/<key:key>/remove/", filters.rule_remove, name="rule-remove"),
    path("rules/<int:pk>/restore/<int:entry>/", filters.filing_restore, name="filing-restore"),
    path("rules/<int:pk>/vacation/", filter_settings.vacation_edit, name="vacation-edit"),
    path("rules/<int:pk>/spam/", filter_settings.spam_edit, name="spam-edit"),
    path("rules/<int:pk>/forwarding/", filter_settings.forwarding_edit, name="forwarding-edit"),
    path("changes/audit/", audit.audit_list, name="audit-list"),
    path("use/", usage.usage_list, name="usage-list"),
    path("use/<int:pk>/", usage.usage_show, name="usage-show"),
    path("use/<int:pk>/acknowledge/", usage.usage_acknowledge, name="usage-acknowledge"),
    path("use/<int:pk>/write/", usage.usage_write, name="usage-write"),
    path("use/<int:pk>/<int:number>/", usage.usage_version, name="usage-version"),
    *(
        path(f"rules/<int:pk>/{kind}/remove/", filter_settings.setting_remove, {"kind": kind}, name=f"{kind}-remove")
        for kind in filter_settings.CLEAR
    ),
]
