"""Cold starts, calls, sizes and cost of what is shipped, as ratios within one run."""
