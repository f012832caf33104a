"""`safai track`: proof of service, calibration and history from the command line."""

from __future__ import annotations

import typer

app = typer.Typer(help="Proof of service, calibration, history.", no_args_is_help=True)


@app.callback()
def track() -> None:
    """Proof of service, calibration, history."""
