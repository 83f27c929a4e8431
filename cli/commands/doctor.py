"""`minex doctor`: what this machine lacks, and how to mend it."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import rich_click as click

from cli.doctor.checks import all_findings
from cli.exits import DONE, FAILED
from cli.options import data_folder_option, settings_for
from cli.terminal import as_called, coloured


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@data_folder_option
def command(as_json: bool, data_folder: Path | None) -> int:
    """Check that this machine has all that is needed, and say how to mend what is missing.

    Exit code 1 if something is missing.
    """
    findings = all_findings(settings_for(data_folder))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            mark = coloured("✓", "green", sys.stdout) if finding.is_well else coloured("✗", "red", sys.stdout)
            click.echo(f"{mark} {finding.subject:<{width}}  {finding.found}")
            if not finding.is_well:
                click.echo(f"  {'':<{width}}  → {as_called(finding.mend)}")
    return DONE if all(finding.is_well for finding in findings) else FAILED
