"""`--confirm-clock`, for the commands that delete data or rotate keys by the clock."""

import click

confirm_clock_option = click.option(
    "--confirm-clock",
    is_flag=True,
    help="Confirm that this machine's clock is right, although it jumped or the installation stood still for an hour."
    " Servers that doubt the same time accept it, too.",
)
