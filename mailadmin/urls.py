"""Every address of the panel."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("accounts.urls")),
    path("", include("domains.urls")),
    path("", include("policies.urls")),
    path("", include("deploy.urls")),
    path("", include("reports.urls")),
]
