"""`--confirm-clock`, for the commands that destroy or rotate by the clock."""

import click

confirm_clock_option = click.option(
    "--confirm-clock",
    is_flag=True,
    help="The clock of this machine is right, although it has jumped or the installation stood still for an hour. "
    "Servers that doubt the same time go on, too.",
)
