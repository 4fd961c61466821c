"""What `zhubo eval` puts together: corpora with their vectors, the judge, and the whole presenter."""
