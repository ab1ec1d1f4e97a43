#!/usr/bin/env python3
"""Draws the learning curves of runs as an SVG: plot_curves.py OUT.svg TITLE RUN_DIRECTORY... (standard library only).

Reads frames and mean_return_100 of each run's metrics.csv.
"""
import csv
import pathlib
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 380, 60, 20, 40, 50
COLORS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e"]


def curve(run):
    with open(pathlib.Path(run) / "metrics.csv", newline="") as file:
        rows = [(float(row["frames"]), float(row["mean_return_100"])) for row in csv.DictReader(file)]
    rows = [row for row in rows if row[1] == row[1]]
    step = max(1, len(rows) // 300)
    return rows[::step] + rows[-1:]


def nice(limit):
    """A round number at or above the limit, and the distance of grid lines."""
    step = 10.0 ** (len(str(int(max(1, limit)))) - 1)
    while limit / step < 4:
        step /= 2
    return (int(limit / step) + 1) * step, step


def main(out, title, *runs):
    curves = [curve(run) for run in runs]
    right = max(x for points in curves for x, _ in points)
    low = min(0.0, min(y for points in curves for _, y in points))
    high, grid = nice(max(y for points in curves for _, y in points))

    def place(x, y):
        return (LEFT + x / right * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM))

    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', f'<text x="{LEFT}" y="22" font-size="15">{title}</text>']
    y = low - low % grid
    while y <= high:
        (x0, height), (x1, _) = place(0, y), place(right, y)
        svg.append(f'<path d="M{x0:.1f} {height:.1f}H{x1:.1f}" stroke="#ddd"/>'
                   f'<text x="{x0 - 8:.1f}" y="{height + 4:.1f}" text-anchor="end">{y:g}</text>')
        y += grid
    for i in range(6):
        x, base = place(right * i / 5, low)
        svg.append(f'<text x="{x:.1f}" y="{base + 18:.1f}" text-anchor="middle">{right * i / 5 / 1e6:.3g} M</text>')
    svg.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">frames; mean return of the last 100 training episodes</text>')
    for i, points in enumerate(curves):
        path = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in points)
        color = COLORS[i % len(COLORS)]
        svg.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>'
                   f'<text x="{LEFT + 14 + 80 * i}" y="{TOP + 12}" fill="{color}">seed {i + 1}</text>')
    pathlib.Path(out).write_text("\n".join(svg + ["</svg>"]) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
