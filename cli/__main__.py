"""``trackrecord``: the operator's command line.

Exit codes: 0 success, 1 it failed or found a problem, 2 wrong arguments or settings.
"""

import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, CycloptsError, Parameter
from msgspec import Struct

from cli.examples import NAME, examples, paragraphs
from cli.failure import CommandFailed
from devstack import DevstackError
from runtime.listening import AddressTaken
from runtime.setting import SettingsInvalid


class CommandHelp(Struct, frozen=True):
    """The name of a command and its text for ``--help``."""

    place: str
    """``module:name``; it is imported only when the command is used."""
    meaning: str
    examples: tuple[str, ...] = ()


COMMANDS = {
    "up": CommandHelp(
        "cli.up:run",
        """Run the whole system on embedded stores, on this machine.

        Whatever dies is restarted; Ctrl-C stops the processes first and their stores last.""",
        ("up", "up --no-demo"),
    ),
    "serve": CommandHelp("cli.processes:run_serve", "Run the HTTP API.", ("serve",)),
    "project": CommandHelp(
        "cli.processes:run_project", "Run the projector and sign audit trees.", ("project",)
    ),
    "work": CommandHelp(
        "cli.processes:run_work", "Run webhook deliveries and background jobs.", ("work",)
    ),
    "follow": CommandHelp(
        "cli.processes:run_follow", "Run project and work in one process.", ("follow",)
    ),
    "migrate": CommandHelp(
        "cli.migrate:run",
        """Create the tables of the event log once, before the processes start.

        Run it as the owner of the database. Create a separate role for the processes and pass it
        with --grant: it may then append and read, but not change or remove an event.""",
        ("migrate", "migrate --grant app"),
    ),
    "backup": CommandHelp(
        "cli.recovery.backup:run_backup",
        """Write the event database to a file, while the system runs.

        A backup holds the log with its keys, secrets, replies, claims, counts and signed tree
        heads, and the state of webhook deliveries. MASTER_KEY, LOG_SECRET and the JWT
        secrets are not in it: keep them elsewhere.""",
        ("backup trackrecord.backup",),
    ),
    "restore": CommandHelp(
        "cli.recovery.backup:run_restore",
        "Load a backup into the empty database that EVENTS_URL names.",
        ("restore trackrecord.backup",),
    ),
    "verify-backup": CommandHelp(
        "cli.recovery.backup:run_verify_backup",
        "Check every byte of a backup, and its events against the tree heads.",
        ("verify-backup trackrecord.backup",),
    ),
    "move": CommandHelp(
        "cli.recovery.move:run_move",
        """Move the log, with everything that `backup` takes, to an empty database.

        The system may run meanwhile. For the last step the log is read-only: commands are answered
        503 `read_only`. Afterwards put the new address into EVENTS_URL and start the processes
        again. If a move is interrupted, run it again; to give it up, run `read-only off`.""",
        (
            "move --to postgresql://app@db.example.test/trackrecord",
            "move --to sqlite:////srv/trackrecord/events.db?partitions=8",
        ),
    ),
    "read-only": CommandHelp(
        "cli.recovery.move:run_read_only",
        "Have every process refuse commands, or take them again.",
        ("read-only on", "read-only off"),
    ),
    "import-users": CommandHelp(
        "cli.upkeep.import_users:run",
        """Create accounts with password hashes of another system, as members of an organization.

        The file is CSV with the columns email, name, password_hash (bcrypt or Argon2id) and, if
        wanted, role. Whoever has an account already is left alone, so that it can be run again.""",
        ("import-users people.csv --organization acme",),
    ),
    "erase-user": CommandHelp(
        "cli.upkeep.erase_user:run",
        """Close somebody's account for good and have what is personal erased, at their request.

        For people who cannot do it themselves by `DELETE /api/user/me`. On a terminal it asks
        before. The last active ADMIN of an organization is refused.""",
        ("erase-user kim@example.com", "erase-user kim@example.com --yes"),
    ),
    "fork": CommandHelp(
        "cli.upkeep.fork:run",
        """Make a new organization of another one, as it was at a point of its log.

        Everything in it is copied under new ids: projects, tasks, comments, files and their whole
        history. Webhooks, API keys, invitations and single sign-on are not. Those who are members
        still have access, and nobody is mailed. If it is interrupted, run it again, or with
        `--abandon` to give it up.""",
        (
            "fork acme --subdomain acme-copy",
            "fork acme --subdomain acme-before --at 2026-11-29T12:00Z",
            "fork acme --subdomain acme-before --abandon",
        ),
    ),
    "rotate-master-key": CommandHelp(
        "cli.upkeep.rotate_master_key:run",
        """Wrap every data key and secret by a new MASTER_KEY, while the system runs.

        Set MASTER_KEY to the new key and MASTER_PREVIOUS_KEY to the old one, and restart the
        processes with both before. If it is interrupted, run it again.""",
        ("rotate-master-key",),
    ),
    "accept-restore": CommandHelp(
        "cli.recovery.accept_restore:run",
        """Go on with a log that is shorter than or different from what was signed.

        Records `log.restored` in each organization, which its webhooks get too, begins the next
        epoch of the log, and lets it take commands again. First see whether a newer backup exists:
        what is accepted as lost stays lost.""",
        ("accept-restore",),
    ),
    "rebuild": CommandHelp(
        "cli.rebuild:run",
        """Rebuild read models next to the live ones, then switch to them.

        With --verify, compare a rebuild with the live read model and replace nothing.""",
        ("rebuild task", "rebuild --all --verify"),
    ),
    "replay": CommandHelp(
        "cli.replay:run",
        "Print the log as JSON lines, oldest event first.",
        ("replay", "replay --type task.created --from 100"),
    ),
    "audit export": CommandHelp(
        "cli.audit:run_export",
        """Write an organization's log as JSON lines, with personal data in readable form.

        The export is recorded as an event of the organization. On a terminal it asks before it
        replaces a file.""",
        ("audit export acme acme.jsonl",),
    ),
    "audit verify": CommandHelp(
        "cli.audit:run_verify",
        """Verify an export line by line, without any server.

        Exits with 1 if a single byte was changed, with 2 if the file is no export.""",
        ("audit verify acme.jsonl", "audit verify acme.jsonl --key KEY"),
    ),
    "audit key": CommandHelp(
        "cli.audit:run_key",
        "Print the public key that verifies checkpoints, in signed-note format.",
        ("audit key",),
    ),
    "lint-log": CommandHelp(
        "cli.lint_log:run",
        """Check every rule again from the log alone, and change nothing.

        Every event in its place, every state machine, limit and unique value; then the rows of
        claims and counts are compared with what the events give. Exits with 1 if anything is
        wrong. Commands may be taken meanwhile; if they never pause, what came last may be
        reported.""",
        ("lint-log",),
    ),
    "doctor": CommandHelp(
        "cli.doctor:run",
        """Check settings, stores, read models and the log, and change nothing.

        Exits with 1 if anything is wrong. With --deep, every event is compared with the signed
        tree heads; that reads the whole log.""",
        ("doctor", "doctor --deep --json"),
    ),
    "demo": CommandHelp(
        "cli.demo:run",
        """Run a story on a real system and check its claims.

        Uses the system that `up` runs in this DATA_DIR; without one, it starts its own.""",
        ("demo",),
    ),
}


GROUPS = {"audit": "Export the audit log, verify an export, print the public key."}
"""Commands that only contain others."""


def command_line() -> App:
    """Return the application of all commands; docs/reference/cli.md is generated from it."""
    top = App(
        name=NAME,
        help="Event-sourced task-management backend.",
        version=lambda: f"{NAME} {version(NAME)}",
        help_epilogue=examples("up", "doctor"),
        help_format="plaintext",
        default_parameter=Parameter(negative=""),
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
    )
    groups = {name: App(name=name, help=meaning) for name, meaning in GROUPS.items()}
    for name, about in COMMANDS.items():
        group, _, own = name.rpartition(" ")
        groups.get(group, top).command(
            about.place,
            name=own,
            help=paragraphs(about.meaning),
            help_epilogue=examples(*about.examples),
        )
    for each in groups.values():
        top.command(each)
    top.register_install_completion_command(  # pyright: ignore[reportUnknownMemberType]  its **kwargs have no type
        help="Install completion for this shell.", help_epilogue=examples("--install-completion")
    )
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        return int(command_line()(arguments) or 0)
    except CycloptsError as error:
        return _said(2, f"{' '.join(str(error).split())} Try --help.")
    except SettingsInvalid as error:
        return _said(2, *(f"setting {problem}" for problem in error.problems))
    except (CommandFailed, DevstackError, AddressTaken) as error:
        return _said(error.code if isinstance(error, CommandFailed) else 1, str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever reads the output has enough, as in `replay | head`; nothing is flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _said(code: int, *lines: str) -> int:
    for line in lines:
        print(f"{NAME}: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
