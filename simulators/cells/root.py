"""The place where a rising function crosses zero."""

from collections.abc import Callable

_RELATIVE = 1e-10
_ABSOLUTE = 1e-15
_LAST_CORRECTION = 1e-7  # relative: the secant method squares it, nearly, with the next one


def rising_root(rise: Callable[[float], float], guess: float, slope: float) -> float:
    """Return x with rise(x) = 0 to 1e-10 of x; where `rise` jumps through zero, the place of the jump.

    `slope` (> 0) is about the least slope: the better it is known, the fewer evaluations. Raises
    ValueError where no sign change is found.
    """
    at_guess = rise(guess)
    if at_guess == 0.0:
        return guess
    nearby = _secant(rise, guess, at_guess, slope)
    if nearby is not None:
        return nearby
    reach = -at_guess / slope
    for _ in range(60):
        far = guess + reach
        at_far = rise(far)
        if (at_far > 0.0) != (at_guess > 0.0):
            return _between(rise, guess, at_guess, far, at_far)
        reach *= 2.0
    raise ValueError(f"no crossing between {guess:g} and {far:g}: {at_guess:g} and {at_far:g} have one sign")


def _secant(rise: Callable[[float], float], a: float, fa: float, slope: float) -> float | None:
    """Return the root where a few secants settle on it, which a smooth function lets them."""
    b = a - fa / slope
    for _ in range(7):
        fb = rise(b)
        if fb == 0.0:
            return b
        if not abs(fb) < abs(fa):
            return None
        correction = -fb * (b - a) / (fb - fa)
        a, fa, b = b, fb, b + correction
        if abs(correction) <= _LAST_CORRECTION * abs(b) + _ABSOLUTE:
            return b
    return None


def _between(rise: Callable[[float], float], a: float, fa: float, b: float, fb: float) -> float:
    """Chandrupatla's bracketing (Adv. Eng. Software 28 (1997) 145): inverse quadratic, else halving."""
    share = fa / (fa - fb)
    for _ in range(200):
        x = a + share * (b - a)
        fx = rise(x)
        if (fx > 0.0) == (fa > 0.0):
            c, fc = a, fa
        else:
            c, fc, b, fb = b, fb, a, fa
        a, fa = x, fx
        best = a if abs(fa) < abs(fb) else b
        edge = (_RELATIVE * abs(best) + _ABSOLUTE) / abs(b - a)
        if edge > 0.5 or fa == 0.0:
            return best
        share = min(1.0 - edge, max(edge, _next_share(a, fa, b, fb, c, fc)))
    return best


def _next_share(a: float, fa: float, b: float, fb: float, c: float, fc: float) -> float:
    if c == b or fc in (fb, fa):
        return 0.5
    xi = (a - b) / (c - b)
    phi = (fa - fb) / (fc - fb)
    if phi * phi < xi and (1.0 - phi) ** 2 < 1.0 - xi:
        return fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return 0.5
