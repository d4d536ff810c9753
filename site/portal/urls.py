"""The pages of the portal: none yet."""

from typing import Any

urlpatterns: list[Any] = []
