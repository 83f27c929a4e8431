"""Prove what must always be true, on a live exchange, from one snapshot: see `run.verify`."""

from services.verify.report import Check, Finding, Report
from services.verify.run import verify

__all__ = ["Check", "Finding", "Report", "verify"]
