"""`authserver users import`: imports the users of another system."""

from pathlib import Path

import click

from authserver.administration.import_users import Imported, import_users
from authserver.cli.context import Context
from authserver.cli.output import escape, json_option, print_record
from authserver.cli.user_files import FORMATS, UnreadableFileError, read_users


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(sorted(set(FORMATS.values()))), help="Default: by the file name.")
@click.option("--skip-bad", is_flag=True, help="Import the valid lines even if other lines are invalid.")
@click.option("--dry-run", is_flag=True, help="Say what would be imported, and import nothing.")
@json_option
@click.pass_obj
def import_file(
    context: Context, *, file: Path, form: str | None, skip_bad: bool, dry_run: bool, as_json: bool
) -> None:
    """Create all users in FILE, or none of them if any line is invalid.

    FILE is CSV with a header, or one JSON object per line (.jsonl): email, and optionally name, password_hash, roles
    (words with spaces between, or a JSON list) and email_verified (true by default). password_hash is argon2, bcrypt,
    phpass, scrypt, pbkdf2 or sha512_crypt, also in the formats of Django, Werkzeug, Keycloak, WordPress, LDAP
    ({SSHA}) and ASP.NET Identity; it is replaced at the user's first sign-in. Users without one reset their password
    by mail.
    """
    form = form or FORMATS.get(file.suffix.lower())
    if form is None:
        raise click.UsageError("the format is not clear from the file name; use --format")
    try:
        arrivals = read_users(file, form)
    except UnreadableFileError as error:
        raise click.ClickException(f"{file}: {error}") from None
    outcome = import_users(context.realm, arrivals, by=context.operator, skip_bad=skip_bad, dry_run=dry_run)
    _print_outcome(outcome, file, dry_run=dry_run, as_json=as_json)
    if outcome.problems and not skip_bad:
        raise click.ClickException(f"{_count(len(outcome.problems), 'bad line')}; nothing was imported")


def _print_outcome(outcome: Imported, file: Path, *, dry_run: bool, as_json: bool) -> None:
    for problem in outcome.problems:
        click.echo(escape(f"{file}:{problem.line}: {problem.message}"), err=True)
    if as_json:
        record = {"imported": outcome.count, "left_out": len(outcome.problems), "dry_run": dry_run}
        print_record(record, as_json=True)
    elif outcome.count or not outcome.problems:
        click.echo(f"{'would import' if dry_run else 'imported'} {_count(outcome.count, 'user')}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
