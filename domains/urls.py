"""Addresses of the pages about domains, mailboxes and aliases."""

from django.urls import path

from domains.views import aliases, domains, mailboxes

urlpatterns = [
    path("people/<int:pk>/addresses/", domains.person_addresses, name="person-addresses"),
    path("domains/", domains.domain_list, name="domain-list"),
    path("domains/add/", domains.domain_add, name="domain-add"),
    path("domains/<int:pk>/", domains.domain_show, name="domain-show"),
    path("domains/<int:pk>/delete/", domains.domain_delete, name="domain-delete"),
    path("mailboxes/", mailboxes.mailbox_list, name="mailbox-list"),
    path("mailboxes/add/", mailboxes.mailbox_add, name="mailbox-add"),
    path("mailboxes/people/", mailboxes.people_found, name="people-found"),
    path("mailboxes/<int:pk>/", mailboxes.mailbox_edit, name="mailbox-edit"),
    path("mailboxes/<int:pk>/password/", mailboxes.mailbox_password, name="mailbox-password"),
    path("mailboxes/<int:pk>/suspend/", mailboxes.mailbox_suspend, name="mailbox-suspend"),
    path("mailboxes/<int:pk>/resume/", mailboxes.mailbox_resume, name="mailbox-resume"),
    path("mailboxes/<int:pk>/delete/", mailboxes.mailbox_delete, name="mailbox-delete"),
    path("aliases/", aliases.alias_list, name="alias-list"),
    path("aliases/add/", aliases.alias_add, name="alias-add"),
    path("aliases/<int:pk>/", aliases.alias_edit, name="alias-edit"),
    path("aliases/<int:pk>/delete/", aliases.alias_delete, name="alias-delete"),
]
