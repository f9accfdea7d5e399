"""Variable types: two letters that say what a number is of."""

POTENTIAL = "ab"
CURRENT = "ba"
APPLIED_POTENTIAL = "da"
APPLIED_CURRENT = "db"
FREQUENCY = "dc"
REAL_IMPEDANCE = "cc"
IMAGINARY_IMPEDANCE = "cd"
TIME = "eb"
TEMPERATURE = "ed"
UNKNOWN = "aa"

_LETTERS = {
    "a": "abcdefghistuvwxyz",
    "b": "ab",
    "c": "abcdefghijklmnopqrstuvwxyz",
    "d": "abcd",
    "e": "abcdefg",
    "h": "abcd",
    "i": "abcd",
    "j": "abcd",
}

VARTYPES = frozenset(first + second for first, letters in _LETTERS.items() for second in letters)
