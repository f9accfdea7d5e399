"""Every registered driver keeps the contract on the simulated instrument of its name.

Nothing here knows a driver: whoever registers one is tried. See `drivers.contract`.
"""

import pytest

from drivers.contract import CLAIMS, Claim, NotApplicable, registered


@pytest.mark.parametrize("name", registered())
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
async def test_the_contract_is_kept(claim: Claim, name: str) -> None:
    try:
        await claim(name)
    except NotApplicable as reason:
        pytest.skip(f"{name}: {reason}")
