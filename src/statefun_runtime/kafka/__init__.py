"""What the Kafka ingress and the Kafka egress share. Needs the extra `kafka`."""
