"""Result files of other makers' instruments, read so that they can become runs."""
