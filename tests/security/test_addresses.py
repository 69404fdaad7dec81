"""Networks in their canonical form."""

import pytest

from security.addresses import canonical_network


@pytest.mark.parametrize("zoned", ["fe80::1%eth0", "fe80::%eth0/64", "::%a,0.0.0.0/0"])
def test_a_network_has_no_zone(zoned: str) -> None:
    assert canonical_network(zoned) is None
    assert canonical_network(zoned.partition("%")[0]) is not None
