"""The proof of the worker ledger: every order of calls of three writers, and any order of any number of them."""
