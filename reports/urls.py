"""Addresses of the reports, under `/reports/`."""

from django.urls import path

from reports.views import figures

urlpatterns = [
    path("reports/person/<int:pk>/", figures.report_person, name="report-person"),
    path("reports/host/", figures.report_host, name="report-host"),
]
