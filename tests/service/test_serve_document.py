"""docs/serve.md says what there is."""

import re

import msgspec
import yaml
from msgspec import inspect as shape

from service.cli.serve import FIRST_POOL
from service.server import GRACE
from service.server_settings import ServerSettings

from .test_documents import DOCS

TEXT = (DOCS / "serve.md").read_text(encoding="utf-8")


def written(value):
    return "none" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def settings_table():
    info = shape.type_info(ServerSettings)
    assert isinstance(info, shape.StructType)
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for field in info.fields:
        assert isinstance(field.type, shape.Metadata)
        meaning = (field.type.extra_json_schema or {})["description"]
        rows.append(f"| `{field.encode_name}` | {written(field.default)} | {meaning} |")
    return "\n".join(rows)


def test_settings():
    assert settings_table() in TEXT


def test_the_settings_that_are_shown_can_be_used():
    (shown,) = re.findall(r"^```yaml\n(.+?)^```", TEXT, flags=re.M | re.S)
    assert msgspec.convert(yaml.safe_load(shown)["server"], ServerSettings).listen == ":443"


def test_what_the_first_start_prints():
    assert f"\n{FIRST_POOL}\n" in TEXT


def test_systemd_waits_for_answers_under_way():
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", TEXT, flags=re.M)
    assert int(seconds) > GRACE + 10 and f"have {GRACE:g} seconds" in TEXT
