"""What the end-to-end tests stand on: real servers, real proxies, and ways to reach both.

A test owns what it starts. Every child process is told by the kernel when this process dies (PR_SET_PDEATHSIG), so
that ^C, a crash or kill -9 of the test run leave no server behind.
"""
