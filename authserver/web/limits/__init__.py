"""How often somebody may try: limits, the counters behind them, and counting at the doors."""
