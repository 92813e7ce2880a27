import pytest

from cwsync.api import REGIONS, Endpoint, region_endpoint
from cwsync.errors import CwsyncError


@pytest.mark.parametrize(
    ("region", "api", "auth"),
    [
        ("eu1", "https://api.cloudworks.anaplan.com/2/0", "https://auth.anaplan.com"),
        ("gb1", "https://gb1.api.anaplan.com/cloudworks/2/0", "https://gb1.auth.anaplan.com"),
        ("ca1", "https://ca1a.api.anaplan.com/cloudworks/2/0", "https://ca1a.auth.anaplan.com"),
        ("au1", "https://api.cloudworks.au1a.app2.anaplan.com/2/0", "https://au1a.app2.anaplan.com"),
    ],
)
def test_a_region_has_the_vendors_addresses(region: str, api: str, auth: str) -> None:
    assert region_endpoint(region) == Endpoint(api, auth)


def test_all_regions_of_the_vendors_table_are_known() -> None:
    shared = {"us1", "us2", "us5", "us7", "eu1", "eu2", "eu4", "ap1"}
    own = {"us9", "eu3", "eu5", "gb1", "ae1", "in1", "id1", "me1", "sg1", "ca1", "au1"}
    assert set(REGIONS) == shared | own
    assert len({REGIONS[name] for name in shared}) == 1


def test_an_unknown_region_is_answered_with_a_suggestion() -> None:
    with pytest.raises(CwsyncError) as caught:
        region_endpoint("GB-1")
    problem = caught.value.problems[0]
    assert problem.code == "CW111"
    assert "did you mean 'gb1'?" in (problem.hint or "")


def test_an_address_loses_its_last_slash() -> None:
    assert Endpoint("http://127.0.0.1:8100/2/0/", "http://localhost:8100/").api == "http://127.0.0.1:8100/2/0"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/2/0",
        "https://user:needle@example.com",
        "ftp://example.com",
        "https://",
        "https://[::1",
        "https://h?needle=1",
    ],
)
def test_an_address_that_is_none_or_would_leak_is_refused(url: str) -> None:
    with pytest.raises(CwsyncError) as caught:
        Endpoint(url, "https://auth.example.com")
    assert caught.value.problems[0].code == "CW111"
    assert "needle" not in str(caught.value)
