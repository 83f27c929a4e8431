"""A floor for each story."""

from tests.services.conftest import floor

__all__ = ["floor"]
