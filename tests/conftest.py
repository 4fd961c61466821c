"""Properties are tried on the same examples at every run, and no example is held to a clock.

New examples: `make test ARGS="--hypothesis-profile searching"`, which prints how to repeat what it finds.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "same",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("searching", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")
