from django.urls import include, path

urlpatterns = [path("chat/", include("django_roomchat.urls"))]
