"""MethodSCRIPT: the language PalmSens instruments run, from its text to the cell."""
