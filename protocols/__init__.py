"""What to do to a cell, as plain data: no clock, no asyncio, no I/O but reading protocol and cell files.

Nothing is re-exported here: a command that only asks the service a question imports `protocols.errors`
and not the whole language, which is an eighth of a second it need not wait.
"""
