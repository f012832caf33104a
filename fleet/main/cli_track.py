"""`safai track`: proof of service, calibration and history from the command line."""

from __future__ import annotations

import typer

from fleet.main import cli_track_beats, cli_track_proof

app = typer.Typer(help="Proof of service, calibration, history.", no_args_is_help=True)


@app.callback()
def track() -> None:
    """Proof of service, calibration, history."""


app.command()(cli_track_proof.prove)
app.command()(cli_track_proof.calibrate)
app.command()(cli_track_beats.learn_beats)
