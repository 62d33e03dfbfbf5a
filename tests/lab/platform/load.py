# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's users: a steady trickle of requests, most of them good."""

from __future__ import annotations

import asyncio
import os
import random
import signal

import httpx

from tests.lab.platform.user_service import ORGANIZATIONS
from tests.lab.platform.vllm import MODELS

PER_SECOND = float(os.environ.get("REQUESTS_PER_SECOND", "5"))
AT_ONCE = 20


def request() -> tuple[str, str, dict[str, object] | None]:
    """(method, address, body) of the next request."""
    chance = random.random()
    user = f"user-{random.randint(1, 40)}"
    if chance < 0.10:
        return "GET", f"http://user-service:8080/users/{user}", None
    if chance < 0.15:
        return "GET", "http://user-service:8080/organizations", None
    if chance < 0.18:
        return "GET", "http://analytics-service:8080/reports/daily", None
    body: dict[str, object] = {
        "model": random.choices(MODELS, (3, 1))[0],
        "organization": random.choice(ORGANIZATIONS),
        "user": user,
        "token": random.choices(("good", "old", "bad"), (98, 1, 1))[0],
        "over_budget": random.random() < 0.02,
    }
    return "POST", "http://api-router:8080/v1/chat/completions", body


async def send(client: httpx.AsyncClient, limit: asyncio.Semaphore) -> None:
    method, address, body = request()
    async with limit:
        try:
            await client.request(method, address, json=body)
        except httpx.HTTPError as error:
            print(f'{{"level": "warning", "msg": "{method} {address}: {type(error).__name__}"}}', flush=True)


async def run() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    limit, sent = asyncio.Semaphore(AT_ONCE), set()
    print(f'{{"level": "info", "msg": "sending {PER_SECOND} requests a second"}}', flush=True)
    async with httpx.AsyncClient(timeout=15) as client:
        while not stop.is_set():
            task = asyncio.create_task(send(client, limit))
            sent.add(task)
            task.add_done_callback(sent.discard)
            try:
                await asyncio.wait_for(stop.wait(), random.expovariate(PER_SECOND))
            except TimeoutError:
                continue
