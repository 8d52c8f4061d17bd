"""What `sam local` needs to work against the local stack: settings, rows for the events, and a run of them all."""
