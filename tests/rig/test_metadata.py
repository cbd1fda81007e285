"""The metadata service, without a host."""

from tests.rig import metadata


def test_metadata_wants_a_token() -> None:
    service = metadata.Metadata(lambda: {"meta-data/instance-id": "i-1", "meta-data/placement/region": "r"})
    assert service.get("/latest/meta-data/instance-id", None) == (401, "Unauthorized")
    assert service.get("/latest/meta-data/instance-id", "guessed") == (401, "Unauthorized")
    assert [service.token("/latest/api/token", life)[0] for life in (None, "0", "x", "21601")] == [400] * 4
    status, token = service.token("/latest/api/token", "60")
    assert status == 200
    assert service.get("/latest/meta-data/instance-id", token) == (200, "i-1")
    assert service.get("/latest/meta-data/", token) == (200, "instance-id\nplacement/")
    assert service.get("/latest/meta-data/spot/instance-action", token)[0] == 404
