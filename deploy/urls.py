"""Addresses of the pages that know the mail hosts."""

from django.urls import path

from deploy import views

urlpatterns = [
    path("", views.home, name="home"),
    path("state/<int:generation>/", views.deploy_state, name="deploy-state"),
]
