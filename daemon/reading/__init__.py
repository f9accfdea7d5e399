"""What is read from the results: by command, page, report, export and notebook."""
