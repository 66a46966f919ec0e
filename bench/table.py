"""The one table: what was measured, its limit in the same run, the ratio, the target."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Target = tuple[Literal["ratio", "product"], Literal["<=", ">="], float]


@dataclass(frozen=True)
class Row:
    """One line; `pairs` holds product and limit of each interleaved round, the ratio is the median of their ratios."""

    what: str
    unit: str
    pairs: Sequence[tuple[float, float | None]]
    limit_is: str
    target: Target | None = None

    @property
    def product(self) -> float:
        """The product's median."""
        return statistics.median(product for product, _ in self.pairs)

    @property
    def limit(self) -> float | None:
        """The limit's median."""
        limits = [limit for _, limit in self.pairs if limit is not None]
        return statistics.median(limits) if limits else None

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios."""
        ratios = [product / limit for product, limit in self.pairs if limit]
        return statistics.median(ratios) if ratios else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        of, sense, bound = self.target
        value = self.ratio if of == "ratio" else self.product
        if value is None:
            return None
        return value <= bound if sense == "<=" else value >= bound

    def cells(self) -> list[str]:
        """Return the line's cells."""
        ratios = sorted(product / limit for product, limit in self.pairs if limit)
        spread = f" ({ratios[0]:.2f}-{ratios[-1]:.2f})" if len(ratios) > 1 else ""
        target = ""
        if self.target is not None:
            of, sense, bound = self.target
            target = f"{sense} {bound:g}" + (f" {self.unit}" if of == "product" else " x")
        return [
            self.what,
            f"{_number(self.product)} {self.unit}",
            "-" if self.limit is None else f"{_number(self.limit)} {self.unit}",
            "-" if self.ratio is None else f"{self.ratio:.2f}{spread}",
            target or "-",
            {True: "met", False: "NOT MET", None: "-"}[self.met],
            self.limit_is,
        ]


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits are enough


def render(rows: Sequence[Row]) -> str:
    """Return the table as Markdown with aligned columns."""
    head = ["what", "product", "limit", "ratio (range)", "target", "", "the limit is"]
    lines = [head, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    made = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    made.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(made)
