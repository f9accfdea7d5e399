"""Reports: what a run was, what it gave, and the plots people expect."""
