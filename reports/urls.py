"""Addresses of the reports, under `/reports/`."""

from django.urls import path

from reports.views import community, figures, letters, schedules, trace

urlpatterns = [
    path("reports/person/<int:pk>/", figures.report_person, name="report-person"),
    path("reports/person/<int:pk>/letters/", letters.letter_list_person, name="letter-list-person"),
    path("reports/host/", figures.report_host, name="report-host"),
    path("reports/community/<int:pk>/", community.report_community, name="report-community"),
    path("reports/community/<int:pk>/letters/", letters.letter_list_community, name="letter-list-community"),
    path("reports/community/<int:pk>/mail/", schedules.schedule_community, name="schedule-community"),
    path("reports/person/<int:pk>/mail/", schedules.schedule_person, name="schedule-person"),
    path("reports/schedules/", schedules.schedule_list, name="schedule-list"),
    path("reports/schedules/<int:pk>/stop/", schedules.schedule_stop, name="schedule-stop"),
    path("reports/stored/", community.report_stored, name="report-stored"),
    path("reports/seen/", community.report_seen, name="report-seen"),
    path("reports/trace/", trace.letter_trace, name="letter-trace"),
    path("reports/trace/<int:pk>/", trace.letter_trace_person, name="letter-trace-person"),
]
