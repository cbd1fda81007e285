from datetime import timedelta

import pytest

from providers import Profile
from service.problems import InputError
from service.settings import Price, Settings
from service.settings_file import load_settings


def load(tmp_path, text, environment=()):
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return load_settings(path, dict(environment))


def test_defaults_are_those_of_the_service():
    settings = load_settings(None, {})
    assert settings == Settings()
    pools = settings.pool_settings()
    assert (pools.sample_period, pools.sample_delay, pools.minimum_evaluation_interval) == (30, 60, 300)
    assert settings.minimum_recurrence_interval == timedelta(minutes=1)
    assert pools.sample_node_metrics == "named"


def test_which_node_metrics_are_sampled(tmp_path):
    assert load(tmp_path, "sampleNodeMetrics: all").pool_settings().sample_node_metrics == "all"
    again = load(tmp_path, "sampleNodeMetrics: all", {"EBBTIDE_SAMPLE_NODE_METRICS": "named"}.items())
    assert again.pool_settings().sample_node_metrics == "named"
    with pytest.raises(InputError, match="named"):
        load(tmp_path, "sampleNodeMetrics: some")


def test_an_empty_file_says_nothing(tmp_path):
    with pytest.raises(InputError, match="is empty"):
        load(tmp_path, "")


def test_the_environment_overrides_the_file(tmp_path):
    text = "samplePeriod: PT0.5S\noutputCap: '4096'\nprices: {a: {lowPriority: 0.5}}\nproviders: {local: {maxVms: 3}}"
    settings = load(tmp_path, text, {"EBBTIDE_SAMPLE_PERIOD": "PT2S", "EBBTIDE_ACCOUNT": "me", "OTHER": "x"}.items())
    assert settings.sample_period == timedelta(seconds=2)
    assert (settings.output_cap, settings.account) == (4096, "me")
    assert settings.prices == {"a": Price(low_priority=0.5)}
    assert settings.providers == {"local": {"maxVms": 3}}


def test_every_duration_arrives_where_it_belongs():
    settings = load_settings(
        None,
        {
            "EBBTIDE_VM_POLL_INTERVAL": "PT1S", "EBBTIDE_BOOT_TIMEOUT": "PT2S", "EBBTIDE_UNREACHABLE_TIMEOUT": "PT3S",
            "EBBTIDE_CONNECT_RETRY": "PT4S", "EBBTIDE_BACK_OFF_BASE": "PT5S", "EBBTIDE_BACK_OFF_MAX": "PT6S",
            "EBBTIDE_DESTROY_RETRY": "PT7S", "EBBTIDE_CONNECT_TIMEOUT": "PT8S", "EBBTIDE_HANDSHAKE_TIMEOUT": "PT9S",
            "EBBTIDE_AGENT_START_TIMEOUT": "PT10S", "EBBTIDE_KEEP_ALIVE_INTERVAL": "PT11S",
            "EBBTIDE_CONNECTION_TIMEOUT": "PT12S", "EBBTIDE_TRANSFER_TIMEOUT": "PT13S",
            "EBBTIDE_BOOT_POLL_INTERVAL": "PT14S", "EBBTIDE_CAPACITY_PAUSE": "PT15S", "EBBTIDE_ORPHAN_GRACE": "PT16S",
        },
    )  # fmt: skip
    pools, link = settings.pool_settings(), settings.link_timeouts()
    got = (
        pools.vm_poll_interval, pools.boot_timeout, pools.unreachable_timeout, pools.connect_retry, pools.backoff_base,
        pools.backoff_max, pools.destroy_retry, link.connect, link.handshake, link.start, link.ping, link.silence,
        link.transfer, pools.boot_poll_interval, pools.capacity_pause, pools.orphan_grace,
    )  # fmt: skip
    assert got == tuple(range(1, 17))


def test_what_is_known_of_providers_and_prices_gets_to_the_pools(tmp_path):
    settings = load(tmp_path, "breakerAfter: 3\nprices: {a: {lowPriority: 0.5}, b: {dedicated: 2, lowPriority: 1}}")
    profile = Profile(default_size="s")
    pools = settings.pool_settings({"aws": profile})
    assert pools.profile("aws") is profile
    assert pools.prices == {"a": (None, 0.5), "b": (2.0, 1.0)}
    assert pools.breaker_after == 3


def test_the_default_provider(tmp_path):
    assert load(tmp_path, "defaultProvider: aws").default_provider == "aws"
    assert load_settings(None, {"EBBTIDE_DEFAULT_PROVIDER": "gce"}).default_provider == "gce"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("samplePeroid: PT1S", "1:1: samplePeroid: unknown property; did you mean samplePeriod?"),
        ("samplePeriod: 5", "1:15: samplePeriod: is no ISO 8601 duration: '5'"),
        ("samplePeriod: PT0S", "samplePeriod: must be longer than nothing"),
        ("jobRetention: P36526D", "jobRetention: must be at most P36525D"),
        ("runningOutputInterval: P10675198D", "runningOutputInterval: must be at most P36525D"),
        ("connectTimeout: P1DT1S", "connectTimeout: must be at most P1D"),
        ("prices: {a: {dedicated: -1}}", "1:25: prices.a.dedicated: must be at least 0, not -1"),
        ("prices: {a: 1}", "prices.a: must be a group of properties (dedicated, lowPriority), not '1'"),
        ("outputCap: 12", "outputCap: must be at least 1024, not 12"),
        ("account: a/b", "account: may hold 1 to 64 letters"),
        ("defaultProvider: ../x", "defaultProvider: may hold 1 to 64 letters"),
        ("connectionTimeout: PT5S", "connectionTimeout: must be longer than keepAliveInterval"),
    ],
)
def test_bad_files(tmp_path, text, told):
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("EBBTIDE_SAMPEL_PERIOD", "PT1S", "EBBTIDE_SAMPEL_PERIOD: is no setting; did you mean EBBTIDE_SAMPLE_PERIOD?"),
        ("EBBTIDE_SAMPLE_PERIOD", "x", "EBBTIDE_SAMPLE_PERIOD: is no ISO 8601 duration: 'x'"),
        ("EBBTIDE_BREAKER_AFTER", "0", "EBBTIDE_BREAKER_AFTER: must be at least 1, not 0"),
        ("EBBTIDE_BOOT_TIMEOUT", "PT0S", "bootTimeout: must be longer than nothing"),
    ],
)
def test_bad_variables(variable, value, told):
    with pytest.raises(InputError) as caught:
        load_settings(None, {variable: value})
    assert told in str(caught.value)
