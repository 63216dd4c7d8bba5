"""Our own code as child processes, so that start-up and memory count as they do for the peers.

Each prints one JSON object as its last line: figures of the work, without the start-up.
"""
