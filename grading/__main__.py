"""`python -m grading`: the `grading` command."""

from grading.cli import main

main()
