"""Other programs that watch jobs in a terminal, measured beside ours on the same number of jobs."""
