"""Settings as TOML: the same values as of YAML, and faults with their place."""

import pytest

from service.problems import InputError
from service.settings_file import load_settings

YAML = """
samplePeriod: PT0.5S
outputCap: 4096
defaultProvider: aws
providers:
  aws:
    driver: ec2
    sshPort: 2222
    maxPrice: 0.05
    zones: [a, b]
    accountId: "012"
    sizes: {Standard_A1: [t3.small, t3.medium]}
    hosts:
    - {address: one, spare: true}
    - {address: two}
prices:
  local.small: {dedicated: 0.04, lowPriority: 1}
"""

TOML = """
samplePeriod = "PT0.5S"
outputCap = 4_096
defaultProvider = 'aws'

[providers.aws]
driver = "ec2"
sshPort = 2222
maxPrice = 0.05
zones = [
    "a",
    "b",
]
accountId = "012"
sizes = {Standard_A1 = ["t3.small", "t3.medium"]}

[[providers.aws.hosts]]
address = "one"
spare = true

[[providers.aws.hosts]]
address = "two"

[prices]
"local.small".dedicated = 0.04
"local.small".lowPriority = 1
"""


def load(tmp_path, text, name="s.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_settings(path, {})


def test_it_means_the_same_as_yaml(tmp_path):
    assert load(tmp_path, TOML) == load(tmp_path, YAML, "s.yaml")


def test_an_empty_file_says_nothing(tmp_path):
    assert load(tmp_path, "# nothing\n") == load_settings(None, {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\nsamplePeroid = 'PT1S'", "s.toml:2:1: samplePeroid: unknown property; did you mean samplePeriod?"),
        ("  samplePeriod  =  5", "s.toml:1:20: samplePeriod: is no ISO 8601 duration: '5'"),
        ("[prices.a]\ndedicated = -1", "s.toml:2:13: prices.a.dedicated: must be at least 0, not -1"),
        ("[prices]\na = 1", "s.toml:2:5: prices.a: must be a group of properties (dedicated, lowPriority), not '1'"),
        ("[prices.'a b']\ndear = 1", "s.toml:2:1: prices.a b.dear: unknown property; known here: "),
        ("[prices]\na.dear = 1", "s.toml:2:1: prices.a.dear: unknown property; known here: "),
        ("prices = {a = {dear = 1}}", "s.toml:1:10: prices.a.dear: unknown property; known here: "),
        ("[providers.'a/b']", "s.toml:1:2: providers.a/b: its name may hold"),
        ("account = \nb = 1", "s.toml:1:11: is not valid TOML: Invalid value"),
        ("a = 1\na = 2", "is not valid TOML: Cannot overwrite a value"),
    ],
)
def test_bad_files(tmp_path, text, told):
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert told in str(caught.value)
