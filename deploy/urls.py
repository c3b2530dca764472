"""Addresses of the pages that know the mail hosts."""

from django.urls import path

from deploy import views

urlpatterns = [
    path("", views.home, name="home"),
    path("family/<int:pk>/try/", views.letter_try, name="letter-try"),
    path("family/<int:pk>/try/<int:asked>/", views.letter_tried, name="letter-tried"),
    path("rules/<int:pk>/folders/", views.mailbox_folders, name="mailbox-folders"),
    path("rules/<int:pk>/folders/<int:asked>/", views.mailbox_folders_found, name="mailbox-folders-found"),
    path("state/<int:generation>/", views.deploy_state, name="deploy-state"),
]
