"""Tests of plumbing: the loop, conversations over sockets, threads, metrics. Run by pytest and by trial."""
