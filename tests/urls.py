"""The URLs of the test project: those of the tutorial, with admin and sign-in."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

urlpatterns = [
    path("accounts/login/", LoginView.as_view(template_name="admin/login.html"), name="login"),
    path("accounts/logout/", LogoutView.as_view(next_page="/chat/"), name="logout"),
    path("admin/", admin.site.urls),
    path("chat/", include("django_roomchat.urls")),
]
