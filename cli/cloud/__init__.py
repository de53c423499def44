"""What the command line asks of an AWS account: one service a file."""
