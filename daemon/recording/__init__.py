"""The recorder and its database: rows, figures, backups, repairs, archives."""
