"""What to do to a cell, as plain data: no I/O, no clock, no asyncio."""
