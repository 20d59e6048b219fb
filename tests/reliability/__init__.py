"""The promises of docs/reliability.md, each measured: ``python -m tests.reliability ROW [--full]``; short forms run as tests."""
