"""Addresses of the pages about people."""

from django.urls import path

from accounts.views import communities, doors, me, people

urlpatterns = [
    path("setup/", doors.setup, name="setup"),
    path("sign-in/", doors.sign_in, name="sign-in"),
    path("sign-out/", doors.sign_out, name="sign-out"),
    path("me/", me.me, name="me"),
    path("me/password/", me.me_password, name="me-password"),
    path("keys/", me.keys, name="keys"),
    path("people/", people.person_list, name="person-list"),
    path("people/add/", people.person_add, name="person-add"),
    path("people/<int:pk>/", people.person_show, name="person-show"),
    path("people/<int:pk>/edit/", people.person_edit, name="person-edit"),
    path("people/<int:pk>/password/", people.person_password, name="person-password"),
    path("people/<int:pk>/disable/", people.person_disable, name="person-disable"),
    path("people/<int:pk>/enable/", people.person_enable, name="person-enable"),
    path("people/<int:pk>/role/", people.person_role, name="person-role"),
    path("people/<int:pk>/leave/<int:membership>/", people.person_leave, name="person-leave"),
    path("people/<int:pk>/delete/", people.person_delete, name="person-delete"),
    path("communities/", communities.community_list, name="community-list"),
    path("communities/add/", communities.community_add, name="community-add"),
    path("communities/<int:pk>/", communities.community_edit, name="community-edit"),
]
