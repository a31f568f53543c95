"""PyJobShop's answer to a problem, for comparison: run as a program in an environment of its own.

Reads a problem as JSON (`planning.py` writes it), prints each task's start and machine as JSON, or nothing where it
found none. It knows no state of a machine at the start and no calendar for changeovers; who asked times its order anew.
"""

import json
import sys

from pyjobshop import Model


def main() -> None:
    asked = json.load(sys.stdin)
    model = Model()
    machines = [model.add_machine(breaks=[tuple(span) for span in spans]) for spans in asked["breaks"]]
    jobs = [
        model.add_job(weight=job["weight"], **({"due_date": job["due"]} if job["due"] is not None else {}))
        for job in asked["jobs"]
    ]
    tasks = []
    for one in asked["tasks"]:
        task = model.add_task(job=jobs[one["job"]], earliest_start=one["release"], allow_breaks=one["splittable"])
        for machine, minutes in one["modes"]:
            model.add_mode(task, machines[machine], minutes)
        tasks.append(task)
    for before, after, gap in asked["after"]:
        model.add_end_before_start(tasks[before], tasks[after], gap)
    for machine, before, after, minutes in asked["setups"]:
        model.add_setup_time(machines[machine], tasks[before], tasks[after], minutes)
    model.set_objective(**asked["objective"])
    result = model.solve(time_limit=asked["seconds"], num_workers=asked["workers"], display=False)
    found = [[one.start, one.resources[0]] for one in result.best.tasks]
    json.dump({"status": str(result.status), "tasks": found}, sys.stdout)


if __name__ == "__main__":
    main()
