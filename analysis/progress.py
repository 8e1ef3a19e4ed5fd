"""A bar on the terminal: members done, members a second, time left, failures; silent in logs and where not wanted."""

__all__ = ["Progress"]


class Progress:
    """A bar that appears when work takes more than a second and goes when it is done.

    Parameters
    ----------
    n : int or None
        Members, if it is known.
    shown : bool

    Examples
    --------
    >>> with Progress(100, shown=False) as bar:
    ...     bar.add(60, failed=2)
    ...     bar.found(40)
    >>> bar.failed, bar.done
    (2, 100)
    """

    def __init__(self, n, shown):
        from tqdm import tqdm

        self.failed, self.done = 0, 0
        # disable=None: tqdm itself is silent where there is no terminal
        self.bar = tqdm(
            total=n, disable=not shown or None, delay=1.0, unit="run", unit_scale=(n or 0) > 100_000, leave=False
        )

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        self.bar.close()

    def add(self, members, failed=0):
        """Members that were solved now, and how many of them failed."""
        self.done, self.failed = self.done + members, self.failed + failed
        if self.failed:
            self.bar.set_postfix(failed=self.failed, refresh=False)
        self.bar.update(members)

    def found(self, members):
        """Members that an earlier run had solved: they count, but not for the rate."""
        self.done += members
        if not self.bar.disable:
            self.bar.n, self.bar.initial = self.bar.n + members, self.bar.initial + members
            self.bar.last_print_n += members
