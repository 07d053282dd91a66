"""What the numeric tests of kernels do with their cases."""

import os


def run_command(model, folder):
    """`dsc run`, for the target in $DSC_TEST_TARGET if that is set."""
    target = os.environ.get("DSC_TEST_TARGET")
    options = ["--target", target] if target else []
    return ["dsc", "run", "-q", model, *options, "--output-dir", folder]


def count_failures(cases, folder):
    """Runs the cases; names those whose results are too far from the expected ones."""
    failures = 0
    for case in cases:
        difference = case.difference(folder)
        if not difference < 2e-5:
            print(f"{case.name}: off by {difference:.2e} of the largest value")
            failures += 1
    return failures
