"""Applications over the Batch REST API: what there is; and, beyond it, how their packages come and go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from pools import folded
from runner import ApplicationPackage, RemoveApplication, SetDefaultVersion

from ..rest_views import application_view, package_view
from . import paging
from .application import Handler, http_date
from .backend import Backend
from .call import Answer, Call
from .errors import ApiError
from .package_uploads import PackageUploads


class Change(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Of an application. `default_version` None: the version that was added last."""

    default_version: str | None


class Applications:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._uploads = PackageUploads(backend)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "application.list": self._list,
            "application.get": self._get,
            "application.patch": self._patch,
            "application.delete": self._delete,
            "application.put_package": self._uploads.put,
            "application.get_package": self._get_package,
            "application.delete_package": self._delete,
        }

    def _all(self) -> dict[str, list[ApplicationPackage]]:
        found: dict[str, list[ApplicationPackage]] = defaultdict(list)
        for package in self._backend.controller.journal.applications():
            found[package.application_id].append(package)
        return found

    async def _list(self, call: Call) -> Answer:
        def find() -> paging.Found:
            return paging.sorted_after(call, self._all(), application_view, None)

        return await self._backend.page(call, "applications", find)

    def _packages(self, wanted: str) -> list[ApplicationPackage]:
        """Raises ApiError."""
        packages = next((each for name, each in self._all().items() if folded(name) == folded(wanted)), None)
        if packages is None:
            raise ApiError("ApplicationNotFound", f"there is no application {wanted!r}")
        return packages

    async def _get(self, call: Call) -> Answer:
        packages = await self._backend.read(lambda: self._packages(call.ids["applicationId"]))
        return Answer({"odata.metadata": f"{call.base}/$metadata#applications/@Element", **application_view(packages)})

    async def _get_package(self, call: Call) -> Answer:
        packages = await self._backend.read(lambda: self._packages(call.ids["applicationId"]))
        wanted = call.ids["version"]
        found = next((each for each in packages if folded(each.version) == folded(wanted)), None)
        if found is None:
            known = ", ".join(each.version for each in packages)
            text = f"application {packages[0].application_id!r} has no version {wanted!r}; versions: {known}"
            raise ApiError("ApplicationPackageNotFound", text)
        headers = {"ETag": f'"{found.sha256}"', "Last-Modified": http_date(found.created)}
        return Answer(package_view(found), headers)

    async def _patch(self, call: Call) -> Answer:
        try:
            change = msgspec.json.decode(call.body, type=Change)
        except msgspec.DecodeError as exc:
            raise ApiError("InvalidRequestBody", f'the body is to be {{"defaultVersion": "..."}}: {exc}') from None
        await self._backend.ask(SetDefaultVersion(call.ids["applicationId"], change.default_version))
        return Answer(headers={"DataServiceId": call.base + call.path})

    async def _delete(self, call: Call) -> Answer:
        await self._backend.ask(RemoveApplication(call.ids["applicationId"], call.ids.get("version")))
        return Answer()
