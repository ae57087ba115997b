"""Readers without a browser: they speak the app's own protocol, so that the app is measured and not Chromium."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

_HEADING = re.compile(rb"<h1[^>]*>(.+?)</h1>", re.DOTALL)


class Reader:
    """One session with the app, as a browser has it."""

    def __init__(self, far: ClientConnection) -> None:
        self._far = far

    async def ask(self, path: str, query: str = "lang=nb") -> float:
        """Ask for a page and return the seconds until its script has finished.

        Raises:
            RuntimeError: What came back was no page.
        """
        question = BackMsg()
        question.rerun_script.page_name, question.rerun_script.query_string = path, query
        start = time.perf_counter()
        await self._far.send(question.SerializeToString())
        has_heading = False
        while True:
            said = await self._far.recv(decode=False)
            has_heading = has_heading or _HEADING.search(said) is not None
            told = ForwardMsg()
            told.ParseFromString(said)
            if told.WhichOneof("type") == "script_finished":
                break
        seconds = time.perf_counter() - start
        if not has_heading or told.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
            raise RuntimeError(f"/{path}: no page came back")
        return seconds


@asynccontextmanager
async def reader(address: str, cookie: str = "") -> AsyncGenerator[Reader]:
    """Open a session; with the cookie of somebody who is signed in."""
    url = address.replace("http", "ws", 1) + "/_stcore/stream"
    headers = {"Cookie": cookie} if cookie else {}
    async with connect(url, origin=Origin(address), additional_headers=headers, max_size=None, open_timeout=60) as far:
        yield Reader(far)
