"""What `minex replay` reports."""

from __future__ import annotations

from typing import Any

from cli.order_flow.replay_flow import Outcome

SHOWN_MISSES = 10


def figures(outcome: Outcome) -> dict[str, Any]:
    """The report: counts, orders a second, milliseconds from acceptance to settlement."""
    sent = outcome.orders + outcome.cancels + outcome.amendments
    return {
        "orders": outcome.orders,
        "cancels": outcome.cancels,
        "amendments": outcome.amendments,
        "amendments_refused": outcome.refused,
        "trades": outcome.trades,
        "executions": outcome.executions,
        "executions_met": outcome.met,
        "missed": outcome.missed,
        "seconds": round(outcome.seconds, 3),
        "requests_per_second": round(sent / outcome.seconds, 1) if outcome.seconds else None,
        "orders_per_second": round(outcome.orders / outcome.seconds, 1) if outcome.seconds else None,
        "settled_ms_p50": percentile(outcome.latencies, 50),
        "settled_ms_p99": percentile(outcome.latencies, 99),
    }


def percentile(microseconds: list[int], percent: int) -> float | None:
    """The nearest-rank percentile, in milliseconds; None of nothing."""
    if not microseconds:
        return None
    rank = -(-len(microseconds) * percent // 100)
    return sorted(microseconds)[max(rank, 1) - 1] / 1000


def shown(symbol: str, report: dict[str, Any]) -> str:
    """The report for a person."""
    lines = [
        f"{report['executions_met']} of {report['executions']} executions hit the same order at the same price "
        "for the same quantity",
        "",
        f"stock      {symbol}",
        f"orders     {report['orders']}",
        f"trades     {report['trades']}",
        f"cancels    {report['cancels']}",
        f"amended    {report['amendments']}",
        f"time       {report['seconds']} s, one request after the other: {report['orders_per_second']} orders/s "
        f"in {report['requests_per_second']} requests/s",
    ]
    if report["settled_ms_p50"] is not None:
        p50, p99 = report["settled_ms_p50"], report["settled_ms_p99"]
        lines.append(f"latency    accepted to settled: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    if "verify" in report:
        lines.append(f"verify     {report['verify']}")
    misses = report["missed"][:SHOWN_MISSES]
    return "\n".join([*lines, *(f"✗ {miss}" for miss in misses)])
