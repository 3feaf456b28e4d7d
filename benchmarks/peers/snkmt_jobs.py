"""A database of snkmt's, made by its own models: 100 workflows of 1,000 jobs; run by the Python that has snkmt.

PYTHON-OF-SNKMT snkmt_jobs.py FILE
"""

import sys
from datetime import datetime, timedelta
from uuid import UUID

from snkmt.core.db.session import Database  # type: ignore[import-not-found]
from snkmt.core.models import Error, Job, Rule, Workflow  # type: ignore[import-not-found]
from snkmt.types.enums import Status  # type: ignore[import-not-found]
from sqlalchemy import insert

WORKFLOWS, JOBS, RULES, FAILED_EVERY = 100, 1_000, 5, 50
BEGIN = datetime(2026, 3, 1, 8)


def workflow(number: int) -> dict[str, object]:
    """One workflow that is over."""
    start = BEGIN + timedelta(minutes=30 * number)
    return {
        "id": UUID(int=number),
        "snakefile": f"/home/ana/reduce/workflow_{number}/Snakefile",
        "started_at": start,
        "updated_at": start,
        "end_time": start + timedelta(minutes=17),
        "status": Status.SUCCESS,
        "command_line": "snakemake --cores 4",
        "dryrun": False,
        "total_job_count": JOBS,
        "jobs_finished": JOBS - JOBS // FAILED_EVERY,
    }


def rules(number: int) -> list[dict[str, object]]:
    """The rules of a workflow."""
    share, begin = JOBS // RULES, BEGIN + timedelta(minutes=30 * number)
    counts = {"total_job_count": share, "jobs_finished": share - share // FAILED_EVERY, "updated_at": begin}
    ids = range(number * RULES, (number + 1) * RULES)
    return [{"id": rule, "name": f"reduce_{rule % RULES}", "workflow_id": UUID(int=number), **counts} for rule in ids]


def jobs(number: int) -> list[dict[str, object]]:
    """The jobs of a workflow."""
    start = BEGIN + timedelta(minutes=30 * number)
    return [
        {
            "snakemake_id": job,
            "workflow_id": UUID(int=number),
            "rule_id": number * RULES + job % RULES,
            "threads": 1,
            "status": Status.ERROR if job % FAILED_EVERY == 0 else Status.SUCCESS,
            "started_at": start + timedelta(seconds=job),
            "end_time": start + timedelta(seconds=job + 1),
            "wildcards": {"frame": str(job)},
        }
        for job in range(JOBS)
    ]


def errors(number: int) -> list[dict[str, object]]:
    """What the failed jobs of a workflow died of."""
    kept = {"workflow_id": UUID(int=number), "rule_id": number * RULES, "exception": "ValueError", "timestamp": BEGIN}
    return [{**kept, "traceback": f"ValueError: row {job}"} for job in range(0, JOBS, FAILED_EVERY)]


session = Database(sys.argv[1]).session
for number in range(1, WORKFLOWS + 1):
    session.execute(insert(Workflow), [workflow(number)])
    session.execute(insert(Rule), rules(number))
    session.execute(insert(Job), jobs(number))
    session.execute(insert(Error), errors(number))
session.commit()
