"""The one exception for everything that the user can mend."""


class UserError(Exception):
    """Something the user can mend: what happened (with the file or number), and what to try.

    Raised where the fact is known, shown in one place: a bar above the canvas, or one line and exit code 2
    on the command line.
    """

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(f"{problem} {advice}".strip())
        self.problem = problem
        self.advice = advice
