"""A Kubernetes in memory: its API, with pods that run at once and end when they are deleted.

The programs that talk to it are the real ones: Dask Gateway's backend, its API and its controller.
"""

import asyncio
import json
import uuid
from collections import defaultdict

from aiohttp import web

PATH = r"/{group:api/v1|apis/[^/]+/[^/]+}"
TAIL = r"/{kind}{name:(/[^/]+)?}{part:(/status)?}"


class Kubernetes:
    """The API of a cluster. ``lingering`` pods stay when they are deleted, until `bury`.

    Nothing that ``gate`` does not let through is made: no pod while it is cleared.
    """

    def __init__(self):
        self.objects = defaultdict(dict)
        self.events, self.changed = [], asyncio.Condition()
        self.gate = asyncio.Event()
        self.gate.set()
        self.lingering = False
        self.dying = set()

    async def __aenter__(self):
        app = web.Application()
        for path in (PATH + TAIL, PATH + "/namespaces/{namespace}" + TAIL):
            app.router.add_route("*", path, self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        await self._runner.cleanup()

    def all(self, kind, **labels):
        """Return the objects of a kind with some labels; ``__`` stands for a slash."""
        return [
            one for one in self.objects[kind].values()
            if all(_labels(one).get(key) == value for key, value in labels.items())
        ]  # fmt: skip

    async def bury(self):
        """End all pods that linger."""
        for name in list(self.dying):
            await self.remove("pods", name)
        self.dying.clear()

    async def _answer(self, request):
        kind, name = request.match_info["kind"], request.match_info["name"].strip("/")
        if request.method == "POST":
            return await self._create(kind, await request.json(), request.match_info["namespace"])
        if request.method == "GET" and not name:
            wanted = dict(
                part.split("=")
                for part in request.query.get("labelSelector", "").split(",")
                if part
            )
            if "watch" in request.query:
                return await self._watch(request, kind, wanted)
            items = self.all(kind, **wanted)
            meta = {"resourceVersion": str(len(self.events))}
            return web.json_response({"items": items, "metadata": meta})
        if name not in self.objects[kind]:
            return web.json_response({"message": "not found"}, status=404)
        if request.method == "DELETE":
            await self._delete(kind, name)
        elif request.method == "PATCH":
            for change in await request.json():
                _patch(self.objects[kind][name], change)
            await self._tell("MODIFIED", kind, self.objects[kind][name])
        return web.json_response(self.objects[kind].get(name, {}))

    async def _create(self, kind, made, namespace):
        meta = made["metadata"]
        if "generateName" in meta:
            meta["name"] = meta["generateName"] + uuid.uuid4().hex[:5]
        if meta["name"] in self.objects[kind]:
            return web.json_response({"message": "exists"}, status=409)
        meta |= {"namespace": namespace, "uid": uuid.uuid4().hex}
        meta["creationTimestamp"] = "2026-01-01T00:00:00Z"
        if kind == "pods":
            if _labels(made)["app.kubernetes.io/component"] == "dask-worker":
                await self.gate.wait()
            made["status"] = {"phase": "Running", "containerStatuses": [_running(made)]}
        await self._tell("ADDED", kind, made)
        if kind == "services":
            ends = {"metadata": dict(meta), "subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]}
            await self._tell("ADDED", "endpoints", ends)
        return web.json_response(made, status=201)

    async def _delete(self, kind, name):
        if kind == "pods" and self.lingering:
            self.dying.add(name)
            return
        await self.remove(kind, name)

    async def remove(self, kind, name):
        """End an object and what it owns."""
        gone = self.objects[kind].pop(name, None)
        if gone is None:
            return
        await self._tell("DELETED", kind, gone)
        for other, known in list(self.objects.items()):
            for child in list(known.values()):
                owners = child["metadata"].get("ownerReferences", ())
                if any(owner["uid"] == gone["metadata"]["uid"] for owner in owners):
                    await self._delete(other, child["metadata"]["name"])

    async def _tell(self, what, kind, one):
        if what != "DELETED":
            self.objects[kind][one["metadata"]["name"]] = one
        one["metadata"]["resourceVersion"] = str(len(self.events) + 1)
        self.events.append((what, kind, json.loads(json.dumps(one))))
        async with self.changed:
            self.changed.notify_all()

    async def _watch(self, request, kind, wanted):
        stream = web.StreamResponse()
        await stream.prepare(request)
        position = int(request.query["resourceVersion"])
        while True:
            for what, of, one in self.events[position:]:
                if of == kind and wanted.items() <= _labels(one).items():
                    line = json.dumps({"type": what, "object": one})
                    await stream.write(line.encode() + b"\n")
            position = len(self.events)
            async with self.changed:
                await self.changed.wait_for(lambda at=position: len(self.events) > at)


def _running(pod):
    (container,) = pod["spec"]["containers"]
    known = {"name": container["name"], "image": container["image"], "imageID": "sha256:0"}
    return {**known, "ready": True, "restartCount": 0, "state": {"running": {}}}


def _labels(one):
    return one["metadata"].get("labels", {})


def _patch(one, change):
    *path, last = change["path"].strip("/").split("/")
    for key in path:
        one = one[key]
    one[last] = change["value"]
