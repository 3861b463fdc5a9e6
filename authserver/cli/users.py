"""`authserver users`: creates and lists users. Passwords come from a prompt or from standard input."""

import click

from authserver.account.register import create_user
from authserver.administration.look_up import find_user, list_users
from authserver.cli.context import Context
from authserver.cli.failures import refuse
from authserver.cli.import_users import import_file
from authserver.cli.output import Record, json_option, print_list, print_record
from authserver.cli.passwords import password_option, read_password
from authserver.cli.user_acts import ACTS
from authserver.records.user import User

_COLUMNS = ("email", "name", "roles", "state", "created_at", "user_id")


@click.group()
def users() -> None:
    """Users, named by e-mail address or id."""


@users.command()
@click.argument("email")
@click.option("--name", default="", help="The user's name.")
@click.option("--role", "roles", multiple=True, help="A role, such as admin; may be repeated.")
@password_option
@json_option
@click.pass_obj
def create(
    context: Context, *, email: str, name: str, roles: tuple[str, ...], password_stdin: bool, as_json: bool
) -> None:
    """Create a user with a confirmed address EMAIL, and ask for the password."""
    password = read_password(stdin=password_stdin)
    made = refuse(
        create_user(
            context.realm,
            email=email,
            password=password,
            name=name,
            roles=roles,
            email_verified=True,
            by=context.operator,
        )
    )
    print_record(describe_user(refuse(find_user(context.realm, made.user_id))), as_json=as_json)


@users.command("list")
@json_option
@click.pass_obj
def list_all(context: Context, *, as_json: bool) -> None:
    """Print all users, by address."""
    print_list("users", [describe_user(user) for user in list_users(context.realm)], columns=_COLUMNS, as_json=as_json)


@users.command()
@click.argument("user")
@json_option
@click.pass_obj
def show(context: Context, *, user: str, as_json: bool) -> None:
    """Print one USER."""
    print_record(describe_user(refuse(find_user(context.realm, user))), as_json=as_json)


def describe_user(user: User) -> Record:
    """Describe a user for listings."""
    return {
        "user_id": user.user_id,
        "email": user.email,
        "email_verified": user.email_verified,
        "name": user.name,
        "roles": user.roles,
        "state": user.standing.value,
        "token_version": user.token_version,
        "created_at": user.created_at,
        "password_changed_at": user.password_changed_at,
    }


for command in (*ACTS, import_file):
    users.add_command(command)
