"""`minex migrate`: make a database ready that others run."""

from __future__ import annotations

import rich_click as click

from cli.local.demo.simulator_keys import with_simulator
from cli.local.new_admin_key import was_shown
from cli.local.prepare import bring_schema, prepare
from cli.local.run_state import connected
from cli.terminal import say, step
from embedded.folder import data_folder
from settings.loading import load_settings


@click.command()
@click.option("--demo/--no-demo", help="Also list the demo's stocks and register its brokers, if there are none yet.")
def command(demo: bool) -> None:
    """Bring the database to the newest schema.

    `minex up` does this by itself; here it is for a database that is run by others. The role of [database] owner_url
    does it, and lets those of the other urls do what they need. Prints the keys that were made: name and key, with a
    tab between.
    """
    settings = with_simulator(connected(load_settings()))
    bring_schema(settings)
    prepared = prepare(settings, demo=demo, tell=say)
    step("The database has the newest schema.")
    for broker in prepared.brokers:
        click.echo(f"{broker.name}\t{broker.api_key}")
    if prepared.admin_key:
        click.echo(f"admin\t{prepared.admin_key}")
        was_shown(data_folder(settings))
