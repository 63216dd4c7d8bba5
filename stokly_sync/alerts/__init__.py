"""From a finding to a message that somebody reads (X8).

Findings are raised and cleared elsewhere, in the transaction that found them. Here they become words and go out through
the channels that are set: the log always, a webhook where there is one. No finding is made here and no state is kept
but what the findings table holds.
"""
