"""The project's schedules as Airflow DAGs. Put this file, or a link to it, into Airflow's folder of DAGs.

Each schedule is a DAG of one task, which runs `python -m orchestrate.schedules run` of the project's own environment,
so that Airflow's environment needs none of its packages. The tasks of one loader share a pool of one slot, because they
share an ERP session and a token at Tableau. Make the pools once:

    airflow pools set target-tableau--acumatica 1 "one session at Acumatica, one token at Tableau"

Airflow needs to be told two variables of its environment:

    ERP_TO_TABLEAU_PROJECT  the folder of meltano.yml
    ERP_TO_TABLEAU_PYTHON   the Python of the project's environment, for instance <folder>/.venv/bin/python
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from typing import Any

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = os.environ["ERP_TO_TABLEAU_PROJECT"]
COMMAND = [os.environ["ERP_TO_TABLEAU_PYTHON"], "-m", "orchestrate.schedules"]
ENVIRONMENT = os.environ.get("MELTANO_ENVIRONMENT", "prod")


def plan() -> dict[str, Any]:
    """The schedules as they hold in the environment."""
    listed = subprocess.run(  # noqa: S603 - the project's own command
        [*COMMAND, "json", "--environment", ENVIRONMENT],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(listed.stdout)
    return found


PLAN = plan()
for schedule in PLAN["schedules"]:
    with DAG(
        dag_id=f"erp-{schedule['name']}",
        schedule=schedule["cron_interval"],
        start_date=pendulum.datetime(2026, 1, 1, tz=PLAN["timezone"]),
        catchup=False,  # a run reads everything since the last one
        max_active_runs=1,
        tags=["erp-to-tableau", *schedule["loaders"]],
    ) as dag:
        BashOperator(
            task_id="run",
            bash_command=shlex.join([*COMMAND, "run", schedule["name"], "--environment", ENVIRONMENT]),
            cwd=PROJECT,
            append_env=True,
            pool=schedule["loaders"][0],
        )
    globals()[dag.dag_id] = dag
