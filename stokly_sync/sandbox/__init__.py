"""The vendors' systems on loopback: strict, asynchronous, rate limited and faulty as their contracts say.

For the demo, for development and for tests. `kit` holds what every sandbox system shares, `serve` runs
them, and each folder besides is one system. Nothing here imports a client, a document mapper or the
warehouse: client and server are each checked against the contract page, never against one another.
"""
