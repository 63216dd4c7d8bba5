"""How fast the product is beside peers and bounds, measured in one run: `python -m benchmarks [NAME ..]`.

Each module with a `run(context)` is one benchmark. Results are ratios against something that runs in the same run on
the same machine, because single figures say more about the machine than about the code. `peers/` holds hand-written
bounds and other people's tools, `product/` the scripts that run our own code in a process of its own. Nothing here is
imported by the product, and no test measures time. What was found is in `docs/performance.md`.
"""
