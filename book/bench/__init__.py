"""`make bench`: helpers beside its peers and beside the limit of the machine, written to book/bench.md."""
