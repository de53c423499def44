"""The IAM prover: what each role needs, found by running the code, equals what the template allows it."""
