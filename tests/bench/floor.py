"""The floor: the least that a Python program can do between MQTT and a webhook. Run as a process of its own.

aiomqtt → queue → 50 workers → aiohttp. It keeps nothing, signs nothing, retries nothing: not to be used for anything.
"""

import asyncio
import sys

import aiohttp
import aiomqtt

WORKERS = 50


async def main(port: int, url: str) -> None:
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def work() -> None:
            while True:
                async with http.post(url, data=await queue.get()) as response:
                    await response.read()

        async with (
            asyncio.TaskGroup() as tasks,
            aiomqtt.Client("127.0.0.1", port, identifier="floor", clean_session=False) as broker,
        ):
            for _ in range(WORKERS):
                tasks.create_task(work())
            await broker.subscribe("alertd/press/+", qos=1)
            async for message in broker.messages:
                assert isinstance(message.payload, bytes)
                queue.put_nowait(message.payload)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
