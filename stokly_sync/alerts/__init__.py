"""From a finding to a message that somebody reads (X8).

`watch` raises findings that no run raises by itself, `wording` puts findings into words, `channels` says who hears of
them and how, `send` sees to it that each is told at least once, reminded of, and told when it is over. No state is kept
but what the findings table holds.
"""
