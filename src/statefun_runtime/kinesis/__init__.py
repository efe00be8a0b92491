"""What the Kinesis ingress and egress share: the client, its errors and the Java client's properties."""
