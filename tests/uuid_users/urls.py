from django.contrib.auth.views import LogoutView
from django.urls import include, path

urlpatterns = [
    path("accounts/logout/", LogoutView.as_view(next_page="/chat/"), name="logout"),
    path("chat/", include("django_roomchat.urls")),
]
