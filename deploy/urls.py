"""Addresses of the pages that know the mail hosts."""

from django.urls import path

from deploy.views import changes, changes_acts, drift, hosts, pages, queue

urlpatterns = [
    path("", pages.home, name="home"),
    path("hosts/<int:pk>/confirm/", hosts.host_confirm, name="host-confirm"),
    path("family/<int:pk>/asleep/", pages.person_asleep, name="person-asleep"),
    path("family/<int:pk>/try/", pages.letter_try, name="letter-try"),
    path("family/<int:pk>/try/<int:asked>/", pages.letter_tried, name="letter-tried"),
    path("rules/<int:pk>/folders/", pages.mailbox_folders, name="mailbox-folders"),
    path("rules/<int:pk>/folders/<int:asked>/", pages.mailbox_folders_found, name="mailbox-folders-found"),
    path("reports/queue/", queue.queue_show, name="queue-show"),
    path("reports/queue/ask/", queue.queue_ask, name="queue-ask"),
    path("reports/queue/try/", queue.queue_retry, name="queue-retry"),
    path("reports/queue/acts/<int:pk>/", queue.queue_acted, name="queue-acted"),
    path("reports/queue/<int:pk>/", queue.queue_found, name="queue-found"),
    path("reports/queue/<int:pk>/<slug:queue_id>/try/", queue.queue_letter_retry, name="queue-letter-retry"),
    path("reports/queue/<int:pk>/<slug:queue_id>/remove/", queue.queue_letter_remove, name="queue-letter-remove"),
    path("changes/drift/", drift.drift_list, name="drift-list"),
    path("changes/drift/<int:pk>/take/", drift.drift_take, name="drift-take"),
    path("changes/drift/<int:pk>/keep/", drift.drift_keep, name="drift-keep"),
    path("changes/drift/acts/<int:pk>/", drift.drift_acted, name="drift-acted"),
    path("changes/", changes.changes_list, name="changes-list"),
    path("changes/of/<int:pk>/", changes.changes_community, name="changes-community"),
    path("changes/hosts/<int:pk>/pause/", changes_acts.changes_pause, name="changes-pause"),
    path("changes/hosts/<int:pk>/resume/", changes_acts.changes_resume, name="changes-resume"),
    path("changes/<int:pk>/", changes.changes_show, name="changes-show"),
    path("changes/<int:pk>/files/", changes.changes_files, name="changes-files"),
    path("changes/<int:pk>/files/<int:asked>/", changes.changes_files_found, name="changes-files-found"),
    path("changes/<int:pk>/undo/", changes_acts.changes_undo, name="changes-undo"),
    path("state/<int:generation>/", pages.deploy_state, name="deploy-state"),
]
