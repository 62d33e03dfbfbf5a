# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a job, a monitor or an address to what is scraped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._causes.chain import Chain, Step, clock, is_broken, listed
from .._causes.metrics import Known
from .._causes.objects import Objects, name_of, space_of
from .._causes.scrapes import target_chain
from .._causes.targets import ENDPOINTS, idle_chain, job_chain, named, pools_of
from .._causes.walk import Question
from .._prometheus import Target
from .ask import Stack, ask


def scraped_chain(wanted: str, stack: Stack, known: Known) -> Chain:
    """`wanted` is a job, a monitor (a name, or namespace/name), a pod, or a part of a target's URL."""
    targets, pools, cluster = Question("targets"), Question("pools"), Question("cluster")
    answers = ask([targets, pools, cluster], stack)
    found = [target for target in answers.get(targets) or () if _fits(target, wanted)]
    objects = answers.objects()
    down = next((target for target in found if target.health != "up"), None)
    if down is not None:
        return target_chain(down, objects, known.home)
    idle = _idle(wanted, found, answers.get(pools) or {}, objects, known.home)
    if is_broken(idle):
        return idle
    if not found:
        return idle or job_chain(wanted, answers.get(pools) or {}, objects, known.home)
    newest = max((target.last_scrape or 0.0 for target in found), default=0.0)
    jobs = listed(sorted({target.job for target in found}))
    each = "target is" if len(found) == 1 else "targets are"
    return [Step(f"{len(found)} {each} up (job {jobs}), last scraped at {clock(newest)}")]


def _fits(target: Target, wanted: str) -> bool:
    space, _slash, name = wanted.rpartition("/")
    labels = target.labels
    if wanted in {target.job, target.pool, labels.get("instance"), labels.get("service")} or wanted in target.url:
        return True
    parts = target.pool.split("/")
    of_monitor = len(parts) == 4 and parts[2] == name and space in {"", parts[1]}
    return of_monitor or (labels.get("pod") == name and space in {"", labels.get("namespace")})


def _idle(wanted: str, found: Sequence[Target], pools: Mapping[str, int], objects: Objects, home: str) -> Chain:
    """Of a monitor that is named: the endpoints that have no target."""
    space, _slash, name = wanted.rpartition("/")
    active = {target.pool for target in found}
    chain: Chain = ()
    for plural in ENDPOINTS:
        for monitor in objects.of(plural, space):
            if name_of(monitor) != name or not space_of(monitor):
                continue
            for pool in pools_of(monitor, plural):
                if pool in active:
                    continue
                below = idle_chain(pool, pools, objects, home)
                if is_broken(below):
                    return [Step(f"{named(monitor, plural)} has an endpoint without a target"), *below]
                chain = chain or below
    return chain
