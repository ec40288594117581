from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path
from django.views.generic import TemplateView

from example_project.story import PASSWORD

sign_in = LoginView.as_view(extra_context={"demo_password": settings.DEBUG and PASSWORD})

urlpatterns = [
    path("", TemplateView.as_view(template_name="example_project/home.html"), name="home"),
    path("accounts/login/", sign_in, name="login"),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
    path("chat/", include("django_roomchat.urls")),
    path("embedded/", TemplateView.as_view(template_name="example_project/embedded.html"), name="embedded"),
    path("i18n/", include("django.conf.urls.i18n")),
]
