"""Addresses of the reports, under `/reports/`."""

from django.urls import path

from reports import views

urlpatterns = [
    path("reports/person/<int:pk>/", views.report_person, name="report-person"),
    path("reports/host/", views.report_host, name="report-host"),
]
