"""Addresses of the reports, under `/reports/`."""

from django.urls import path

from reports.views import figures, trace

urlpatterns = [
    path("reports/person/<int:pk>/", figures.report_person, name="report-person"),
    path("reports/host/", figures.report_host, name="report-host"),
    path("reports/trace/", trace.letter_trace, name="letter-trace"),
    path("reports/trace/<int:pk>/", trace.letter_trace_person, name="letter-trace-person"),
]
