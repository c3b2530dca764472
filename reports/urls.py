"""Addresses of the reports, under `/reports/`."""

from django.urls import path

from reports import report_views, views

urlpatterns = [
    path("reports/person/<int:pk>/", views.report_person, name="report-person"),
    path("reports/host/", views.report_host, name="report-host"),
    path("reports/community/<int:pk>/", report_views.report_community, name="report-community"),
    path("reports/stored/", report_views.report_stored, name="report-stored"),
    path("reports/seen/", report_views.report_seen, name="report-seen"),
]
