"""A kernel of a user's server, asked as a notebook asks it."""

import asyncio
import uuid

import aiohttp
import requests

from facility_support.coroutines import run


class Kernel:
    """A Python in a user's server; ``run`` returns what a cell prints, or its error."""

    def __init__(self, user):
        self.user = user
        self._headers = {"Authorization": f"token {user.token}"}
        self._url = f"{user.url}api/kernels"
        answer = requests.post(self._url, json={}, headers=self._headers, timeout=120)
        answer.raise_for_status()
        self.name = answer.json()["id"]

    def run(self, code, seconds=120):
        return run(self._within(code, seconds))

    async def _within(self, code, seconds):
        return await asyncio.wait_for(self._run(code), seconds)

    async def _run(self, code):
        url = f"{self._url}/{self.name}/channels"
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.ws_connect(url, max_msg_size=0) as socket,
        ):
            return await self._ask(socket, code)

    async def _ask(self, socket, code):
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "session": number,
                  "username": "", "version": "5.3"}  # fmt: skip
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        await socket.send_json({"header": header, "parent_header": {}, "metadata": {},
                                "content": content, "channel": "shell"})  # fmt: skip
        printed = ""
        while True:
            message = await socket.receive_json()
            state = message["content"].get("execution_state")
            if state in ("restarting", "dead"):
                return f"the kernel died: {state}"
            if message["parent_header"].get("msg_id") != number:
                continue
            printed += message["content"].get("text", "") + message["content"].get("evalue", "")
            if state == "idle":
                return printed
