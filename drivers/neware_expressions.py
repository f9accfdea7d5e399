"""Ends that refer to an earlier step, `capacity >= 150 % of discharge`, in the words of a BTS Client.

BTS 8.0 has them ("Set" keeps a step's capacity in a global variable User1 to User50, "Expression" is an
inequality that ends a step; newarebts.net, manual, expression variables), but how its step files spell
them was not read anywhere. What stands here is ASSUMED. To verify: make such a step in the client, save
the file, and compare it with what `galvanod check` prints. A client that ignores these conditions
still ends the step by its other ends and its protection, and the core, which follows, by `goto`.
"""

from collections.abc import Mapping, Sequence

from drivers.neware_holding import Ends
from protocols.plan import Plan, PlannedStep


def verbs_referred_to(plan: Plan) -> Sequence[str]:
    """Return the verbs whose capacity some end refers to, in the order they are met."""
    ends = (end for step in plan.each_step() if step.until is not None for end in step.until.comparisons())
    return list(dict.fromkeys(end.relative_to for end in ends if end.relative_to is not None))


class Expressions:
    """The conditions of each step of a plan; a variable stands for the latest step of a verb."""

    def __init__(self, plan: Plan) -> None:
        self._variables = {verb: f"User{n}" for n, verb in enumerate(verbs_referred_to(plan), start=1)}

    def of(self, step: PlannedStep, ends: Ends) -> Sequence[Mapping[str, str]]:
        """Return the attributes of each condition of the step."""
        conditions = []
        if step.verb in self._variables:
            conditions.append({"Type": "Set", "Name": self._variables[step.verb], "Expression": "Cap"})
        if ends.share is not None:
            factor, verb = ends.share
            conditions.append(
                {
                    "Type": "Expression",
                    "Name": "share",
                    "Expression": f"{factor:g}*{self._variables[verb]}-Cap",
                    "Compare": "<=",
                    "Value": "0",
                }
            )
        return conditions
