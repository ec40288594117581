"""Runs of periodic jobs, by which overdue jobs are noticed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class JobRun(models.Model):
    """Last completed run of a periodic job, such as ``roomchat_prune``. The command ``roomchat_doctor`` reports overdue jobs."""

    job = models.CharField(max_length=50, primary_key=True, editable=False)
    finished_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")

    def __str__(self) -> str:
        return f"{self.job}: {self.finished_at:%Y-%m-%d %H:%M:%S}"
