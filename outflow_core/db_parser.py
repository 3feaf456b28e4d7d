"""What the command `outflow-db` understands; help, completions and the manual page are made from it."""

from __future__ import annotations

import argparse

DESCRIPTION = "Makes and changes the tables of every database of a configuration."


def db_parser() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    file = argparse.ArgumentParser(add_help=False)
    file.add_argument("--config", metavar="FILE", help="the configuration; without it config.yml and its like")
    shared = argparse.ArgumentParser(add_help=False, parents=[file])
    shared.add_argument("--bind", metavar="KEY", help="one database only, by its key in the configuration")
    models = argparse.ArgumentParser(add_help=False)
    models.add_argument(
        "--models", metavar="MODULE", nargs="+", default=[], help="modules of models, in place of the key 'models'"
    )
    json = argparse.ArgumentParser(add_help=False)
    json.add_argument("--json", action="store_true", help="as JSON")
    parser = argparse.ArgumentParser(prog="outflow-db", description=DESCRIPTION)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    forth = verbs.add_parser(
        "upgrade", parents=[shared], help="make the tables, or bring them up to date; adopts Outflow's"
    )
    forth.add_argument("--indexes", action="store_true", help="the monitor's indexes too, if Outflow made the tables")
    back = verbs.add_parser("downgrade", parents=[shared], help="take one database back to an older revision")
    back.add_argument("revision", metavar="REVISION", help="a revision, -1 for one step, or base for all")
    back.add_argument("--yes", action="store_true", help="do not ask, even if data will be lost")
    verbs.add_parser("status", parents=[shared, json], help="tell how each database stands; changes nothing")
    verbs.add_parser("history", parents=[shared, json], help="list the revisions, newest first, and which are applied")
    verbs.add_parser(
        "check", parents=[shared, models, json], help="exit with 1 when an upgrade is due or the models differ"
    )
    new = verbs.add_parser(
        "revision", parents=[shared, models], help="write a migration from what the models and a database disagree on"
    )
    new.add_argument("-m", "--message", metavar="TEXT", required=True, help="what the migration does, in a few words")
    sql = verbs.add_parser("sql", parents=[shared], help="print the SQL that an upgrade would run; changes nothing")
    sql.add_argument("--from-nothing", action="store_true", help="for an empty database; none is looked at")
    verbs.add_parser("indexes", parents=[file], help="make the monitor's indexes in a database that Outflow made")
    replay = verbs.add_parser(
        "replay", parents=[file], help="write what waits in the journal into the default database"
    )
    replay.add_argument(
        "--others", action="store_true", help="also what was meant for a database that had another name or place"
    )
    replay.add_argument(
        "--give-up", action="store_true", help="set aside what waits for a run or a task that will never come"
    )
    roles = verbs.add_parser("roles", parents=[shared], help="print the SQL that makes the two roles and the database")
    roles.add_argument("--apply", action="store_true", help="make what is missing, with the configuration's passwords")
    roles.add_argument(
        "--as", dest="maker", metavar="WHO", help="who makes it: a role of the server, or a postgresql:// URL"
    )
    return parser
