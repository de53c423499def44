"""What stands in for AWS at the ports: in memory, and as strict as the real thing. One contract suite runs on both."""
