from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="example_project/home.html"), name="home"),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
    path("chat/", include("django_roomchat.urls")),
    path("embedded/", TemplateView.as_view(template_name="example_project/embedded.html"), name="embedded"),
]
