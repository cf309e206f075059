"""A short asyncio client, as one writes it: connections that are kept, 32 customers at a time, each customer's calls in
one conversation, the first by a create request and the others added to it one by one. A request whose connection breaks is
sent again, up to three times, as such clients do. Nothing is written down: what was sent is known until the process ends.

Usage: asyncio_client.py EXPORT URL TOKEN; prints how many requests were sent.
"""

import asyncio
import itertools
import sys

import aiohttp

import export

AT_A_TIME = 32
TRIES = 3


class Client:
    def __init__(self, session):
        self.session = session
        self.requests = 0

    async def post(self, path, body):
        for attempt in itertools.count(1):
            self.requests += 1
            try:
                async with self.session.post(path, json=body) as answer:
                    answer.raise_for_status()
                    return answer.headers["Resource-ID"]
            except aiohttp.ClientConnectionError:
                if attempt == TRIES:
                    raise

    async def customer(self, calls):
        conversation = await self.post("/v2/conversations", calls[0])
        for call in calls[1:]:
            thread = {name: value for name, value in call["threads"][0].items() if name != "type"}
            await self.post(f"/v2/conversations/{conversation}/phones", thread)


async def main(path, url, token):
    customers = {}
    for call in export.bodies(path):
        customers.setdefault(call["customer"]["email"], []).append(call)
    headers = {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(limit=AT_A_TIME)
    async with aiohttp.ClientSession(url, headers=headers, connector=connector) as session:
        client, waiting = Client(session), iter(customers.values())

        async def worker():
            for calls in waiting:
                await client.customer(calls)

        await asyncio.gather(*(worker() for _ in range(AT_A_TIME)))
        print(client.requests)


asyncio.run(main(*sys.argv[1:]))
