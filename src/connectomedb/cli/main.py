"""The command `connectomedb` (short: `cdb`): the list of commands, and what becomes of errors.

A command's module loads when the command is used. Exit status: 0 done, 1 failed, 2 wrong usage,
3 partly done, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

import click

from connectomedb.errors import ConnectomeDBError

_COMMANDS = {
    "demo": ("demo", "Make a synthetic site, run the 2013 tutorial on it, fetch and verify files."),
    "init": ("site", "Make a new site."),
    "serve": ("site", "Run the server of a site."),
    "import": ("imports", "Bring documents, tables and BIDS folders into a site."),
    "export": ("exports", "Write a project as XML documents, CSV, BIDS or Parquet."),
    "backup": ("site", "Write a whole site into one file, while it is served."),
    "restore": ("site", "Make a site again from a backup."),
    "doctor": ("site", "Find what is wrong in a site's database."),
    "mirror": ("mirror", "Make the files of an object store searchable."),
    "users": ("people", "Make and change the accounts of a site."),
    "whoami": ("ask", "Show who the server takes you for."),
    "projects": ("ask", "List the projects you may see."),
    "subjects": ("ask", "List the subjects of a project."),
    "experiments": ("ask", "List the experiments of a project."),
    "types": ("types_admin", "List the data types that can be searched, show one, or add some to a site."),
    "fields": ("ask", "List the search fields of a data type."),
    "tiers": ("tiers", "List the tiers of fields that you hold; accept, grant and withdraw them."),
    "search": ("ask", "Ask a question about a project's subjects."),
    "cohort": ("cohort", "List, lock, compare and cite the subjects that meet a question."),
    "files": ("images", "List the files of the subjects that meet a question."),
    "plan": ("images", "Say what fetching those files would move."),
    "get": ("images", "Fetch those files and verify them."),
    "verify": ("images", "Check fetched files against their plan."),
    "settings": ("preferences", "Show every setting and where its value comes from."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"connectomedb.cli.{_COMMANDS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        near = get_close_matches(args[0], _COMMANDS, n=2)
        if args[0] not in _COMMANDS and near:
            ctx.fail(f"No such command {args[0]!r}; did you mean {' or '.join(near)}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_module, text) in _COMMANDS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command and end the process with its status."""
        try:
            status = super().main(
                args,
                prog_name=prog_name,
                complete_var=complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except click.ClickException as problem:
            problem.show()
            sys.exit(problem.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted", err=True)
            sys.exit(130)
        except (ConnectomeDBError, OSError) as problem:
            click.echo(f"error: {_one_line(problem)}", err=True)
            sys.exit(1)
        sys.exit(status if isinstance(status, int) else 0)


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split()) or type(problem).__name__


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="connectomedb", prog_name="connectomedb")
def main() -> None:
    """ConnectomeDB that anyone can run, and the bridge from its answers to the images on S3.

    \b
    Example:
      connectomedb demo
      connectomedb search 'NEOFAC_A > 40' --project HCP_Q1 --server http://127.0.0.1:8080
    """
