"""Everything that touches an instrument. One file per instrument family."""
