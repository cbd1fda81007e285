"""A version of an application that comes as the body of a request: to the disk piece by piece, checked, recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from anyio import CapacityLimiter, to_thread
from msgspec.structs import replace

from pools import folded
from runner import AddApplication, ApplicationPackage, Core, JobError, PackageError

from .backend import Backend
from .call import Answer, Call
from .conditions import Conditions, conditions
from .errors import ApiError, refused

#: Packages that are checked at the same time: each is unpacked for that, in memory.
_AT_ONCE = 2
#: Bytes that are written at a time.
_BATCH = 1 << 20


class PackageUploads:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._checks = CapacityLimiter(_AT_ONCE)

    async def put(self, call: Call) -> Answer:
        """Raises ApiError."""
        default, asked = call.flag("default"), conditions(call.headers)
        controller = self._backend.controller
        try:
            with controller.packages.receive(call.ids["applicationId"], call.ids["version"]) as incoming:
                await self._receive(call, incoming.file.write)
                await to_thread.run_sync(incoming.check, limiter=self._checks)
                package = await to_thread.run_sync(incoming.kept, controller.now())
        except JobError as exc:
            raise refused(exc) from None
        except PackageError as exc:
            raise ApiError("InvalidRequestBody", f"the body must be a zip: {exc}") from None
        except OSError as exc:
            raise _no_room(exc.strerror or str(exc)) from None
        known: list[ApplicationPackage] = []

        def guard(core: Core) -> None:
            known[:] = [each for each in core.applications if _same(each, package)]
            _require(asked, known)

        await self._backend.ask(AddApplication(replace(package, default=default), keep_default=True), guard)
        controller.packages.settled(package)
        url = f"{call.base}{call.path}"
        headers = {"ETag": f'"{package.sha256}"', "DataServiceId": url, "Location": url}
        return Answer(None, headers, 200 if known else 201)

    async def _receive(self, call: Call, write: Callable[[bytes], int]) -> None:
        """Raises ApiError, OSError."""
        most = self._backend.controller.settings.application_package_limit
        told, store = call.headers.get("content-length", ""), self._backend.controller.packages
        size = int(told) if told.isascii() and told.isdigit() and len(told) < 19 else 0
        _fits(size, most)
        if size > store.room():
            raise _no_room("the package does not fit there")
        size = 0
        async for batch in _batches(call.stream):
            size += len(batch)
            _fits(size, most)
            if len(batch) > store.room():
                raise _no_room("the package does not fit there")
            await to_thread.run_sync(write, batch)


def _same(one: ApplicationPackage, other: ApplicationPackage) -> bool:
    return (folded(one.application_id), folded(one.version)) == (folded(other.application_id), folded(other.version))


def _require(asked: Conditions | None, known: list[ApplicationPackage]) -> None:
    """Raises JobError: the version is not as the client believes."""
    if asked is None:
        return
    try:
        if known:
            asked.check(known[0].sha256, known[0].created, reads=False)
        elif asked.match is not None:
            raise ApiError("ConditionNotMet", "there is no such version yet")
    except ApiError as exc:
        raise JobError(exc.code, exc.message) from None


def _fits(size: int, most: int) -> None:
    if size > most:
        text = f"the package is larger than {most:,} bytes (the setting applicationPackageLimit)"
        raise ApiError("RequestBodyTooLarge", text, (("MaxLimit", str(most)),))


def _no_room(why: str) -> ApiError:
    text = f"the disk of the state cannot take the package: {why}; make room there, then send it again"
    return ApiError("OutOfSpace", text, status=507)


async def _batches(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """In pieces large enough for a thread's trouble."""
    held: list[bytes] = []
    size = 0
    async for chunk in stream:
        held.append(chunk)
        size += len(chunk)
        if size >= _BATCH:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)
