"""A small catalogue to try the contract on."""
