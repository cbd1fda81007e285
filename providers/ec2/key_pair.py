"""The key pair that EC2 gives to new VMs: the settings' own, else the deployment's key, imported on first use."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidRequestError, ProviderError
from .api import Api
from .errors import code_of
from .settings import DEPLOYMENT, Ec2Settings
from .turns import Turns

#: What EC2 imports. A key of another kind comes to the VM by its user data alone.
_IMPORTED = ("ssh-rsa", "ssh-ed25519")


class KeyPair:
    """Every method raises ProviderErrors."""

    def __init__(self, api: Api, settings: Ec2Settings, deployment: str) -> None:
        self._api = api
        self._settings = settings
        self._deployment = deployment
        self.own_name = f"ebbtide-{deployment}"
        self._turns = Turns()
        self._imported: str | None = None  # the public key

    def name_for(self, public_key: str) -> str | None:
        """The name of the key pair that a VM is given; None: it needs none."""
        if self._settings.key_pair is not None:
            return self._settings.key_pair
        kind, blob = public_key.split()[:2]
        if kind not in _IMPORTED:
            return None
        with self._turns.take():  # fifty creates at once import once
            if self._imported != blob:
                self._bring(f"{kind} {blob}")
                self._imported = blob
        return self.own_name

    def _bring(self, public_key: str) -> None:
        rows = self._rows()
        if rows:
            if rows[0].get("PublicKey", "").split()[:2] == public_key.split():
                return
            if not self._ours(rows[0]):
                raise InvalidRequestError(
                    f"provider {self._api.name}: there is a key pair {self.own_name} that is not ours; remove it, or "
                    "set keyPair"
                )
            # of an earlier key of this deployment
            self._api.ec2("delete_key_pair", KeyName=self.own_name)
        try:
            self._api.ec2(
                "import_key_pair",
                KeyName=self.own_name,
                PublicKeyMaterial=public_key.encode(),
                TagSpecifications=[
                    {
                        "ResourceType": "key-pair",
                        "Tags": [
                            {"Key": DEPLOYMENT, "Value": self._deployment},
                            *({"Key": key, "Value": value} for key, value in self._settings.tags.items()),
                        ],
                    }
                ],
            )
        except ProviderError as exc:
            if code_of(exc) != "InvalidKeyPair.Duplicate":  # another controller was faster
                raise

    def _ours(self, row: dict[str, Any]) -> bool:
        return {"Key": DEPLOYMENT, "Value": self._deployment} in row.get("Tags", ())

    def _rows(self) -> list[dict[str, Any]]:
        ours = [{"Name": "key-name", "Values": [self.own_name]}]
        answer = self._api.ec2("describe_key_pairs", Filters=ours, IncludePublicKey=True)
        rows: list[dict[str, Any]] = answer["KeyPairs"]
        return rows

    def forget(self) -> None:
        """It may be gone."""
        with self._turns.take():
            self._imported = None

    def remove(self, dry: bool = False) -> list[str]:
        """Remove the one that we imported; a VM that runs does not need it. In words, what was found."""
        if self._settings.key_pair is not None:
            return []
        with self._turns.take():
            found = any(self._ours(row) for row in self._rows())
            if not dry:
                if found:
                    self._api.ec2("delete_key_pair", KeyName=self.own_name)
                self._imported = None
        return [f"key pair {self.own_name}"] if found else []
