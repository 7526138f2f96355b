"""What a person should know before a long study begins."""

from ablate.cli.console import say
from ablate.request import Request

SLOW_CPU_FLOPS = 5e10
"""Floating-point operations a second that a laptop's core sustains in training."""
BACKWARD = 3
"""A training step costs about three forward passes."""
LONG_SECONDS = 3600.0


def warn_of_cost(request: Request) -> None:
    """On a machine without CUDA, says what a full-size recipe would cost there, and names what to run instead."""
    from ablate.training import pick_device

    if request.quick or pick_device(request.device).type != "cpu":
        return
    hours = cpu_seconds(request) / LONG_SECONDS
    if hours < 1:
        return
    time = f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
    say(f"warning: by its FLOPs this recipe takes about {time} on this CPU.")
    say(f"  rehearse it in minutes: ablate run {request.recipe} --quick")
    say("  the same question at a CPU's size: ablate run recipes/quickstart.yaml")


def cpu_seconds(request: Request) -> float:
    """All training steps of all variants and seeds by their FLOPs, on all cores."""
    import os

    from ablate.cli.params import weigh
    from ablate.recipe import load_recipe
    from ablate.study.plan import data_sets, select
    from ablate.variant import survey

    recipe = load_recipe(request.recipe, sets=data_sets(request))
    layout = survey(recipe)
    if layout.problems:
        return 0.0  # the plan, which comes next, tells them together with those that it finds itself
    weighed = weigh(select(layout.variants, request))
    seeds = len(request.seed_list() or recipe.seeds)
    operations = 0.0
    for item in weighed:
        training = item.variant.configuration.training
        operations += BACKWARD * item.cost.total_flops * training.steps * training.batch_size
    return operations * seeds / (SLOW_CPU_FLOPS * (os.cpu_count() or 1))
