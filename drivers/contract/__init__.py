"""What every driver promises, as claims that are tried on its simulated instrument.

A driver is tried by being registered: an installed package that brings a driver under
`galvanod.drivers` and a simulator of the same name under `galvanod.simulators` is found. In its tests:

    @pytest.mark.parametrize("claim", CLAIMS)
    async def test_my_instrument_keeps_the_contract(claim: Claim) -> None:
        try:
            await claim("my-instrument")
        except NotApplicable as reason:
            pytest.skip(str(reason))

A claim raises `ContractError` with what was seen and what was wanted. What a family cannot be held to it
says by what it declares, never by its name: a channel that refuses a current source (`refusal`) only
observes; one whose `attach` returns None begins anew; stepped and programmed channels have
promises of their own. The simulator serves a library cell ("supercapacitor/3f") through
`serve(cell=…, speed=…, seed=…)`, and a rehearsal port: `SimulatedInstrument` and `SimulatedCycler` do.
"""

from drivers.contract.claims import CLAIMS, Claim
from drivers.contract.trial import ContractError, NotApplicable, registered

__all__ = ["CLAIMS", "Claim", "ContractError", "NotApplicable", "registered"]
