"""What `galvanod` can be told to do; thin: arguments in, a question to the service, words out."""
