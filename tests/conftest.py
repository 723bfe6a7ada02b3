"""How much the random tests try: `pytest --hypothesis-profile soak` for a long night."""

from hypothesis import Phase, settings

settings.register_profile("default", max_examples=60)
settings.register_profile("soak", max_examples=3000, phases=[Phase.explicit, Phase.reuse, Phase.generate])
settings.load_profile("default")
